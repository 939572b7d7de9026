import type pg from 'pg';
import type { FanOut } from './fan-out.ts';
import type { HomeCopies } from './home-copies.ts';
import { dedicatedPlaces, type Home, type Homes } from './homes.ts';
import type { Logger } from './telemetry.ts';

/** Without news the gateways' feeds are read this often, milliseconds. */
const POLL_MS = 1_000;
/** Who lives where, their use and their waiting jobs are looked at this often, whatever is heard, milliseconds. */
const SWEEP_MS = 10_000;
/** Tenants looked at in one go, the longest unseen first; where there are more than a hundred, each is seldomer. */
const SWEPT_AT_ONCE = 10;
/** Use is told this long after it was counted, so that what is counted together is told once, milliseconds. */
const GATHER_MS = 100;

/**
 * Keeps the homes of single tenants in step with the control plane, in every process that runs jobs: brings them what
 * changes of licences and profiles, tells what is used there, runs the jobs that wait there, and leaves those nobody lives
 * in any more.
 */
export class HomeKeeper {
  private homes = new Map<string, Home>();
  private seqs: Record<string, number> = {};
  private learntAt = Number.NEGATIVE_INFINITY;
  /** When each tenant with a home of its own was last looked at. */
  private readonly sweptAt = new Map<string, number>();
  private working: Promise<void> | undefined;
  private isStale = false;
  private isOver = false;
  private hasFailed = false;
  private stops: (() => void)[] = [];
  private readonly heard = new Map<string, () => void>();
  private readonly gathering = new Map<string, NodeJS.Timeout>();
  private readonly timer: NodeJS.Timeout;
  private readonly copies: HomeCopies;
  private readonly jobs: pg.Pool;
  private readonly fanOut: FanOut;
  private readonly runJobsAt: (home: Home) => void;
  private readonly places: Pick<Homes, 'leaveAllBut'>;
  private readonly log: Logger;

  /** @param jobs a pool of dotmac_jobs at the control plane's database. */
  constructor(
    copies: HomeCopies,
    jobs: pg.Pool,
    fanOut: FanOut,
    runJobsAt: (home: Home) => void,
    places: Pick<Homes, 'leaveAllBut'>,
    log: Logger,
  ) {
    this.copies = copies;
    this.places = places;
    this.jobs = jobs;
    this.fanOut = fanOut;
    this.runJobsAt = runJobsAt;
    this.log = log;
    this.timer = setInterval(() => this.look(), POLL_MS);
    this.timer.unref();
    this.look();
  }

  /** Something was committed in a tenant at its home. */
  committed(home: Home, tenantId: string, { isCounted, hasEvents }: { isCounted: boolean; hasEvents: boolean }): void {
    if (hasEvents) this.runJobsAt(home);
    if (!isCounted || this.isOver || this.gathering.has(tenantId)) return;
    const timer = setTimeout(() => {
      this.gathering.delete(tenantId);
      void this.tellUse(tenantId, home);
    }, GATHER_MS);
    this.gathering.set(tenantId, timer);
  }

  async close(): Promise<void> {
    this.isOver = true;
    clearInterval(this.timer);
    for (const timer of this.gathering.values()) clearTimeout(timer);
    for (const stop of [...this.stops, ...this.heard.values()]) stop();
    await this.working;
  }

  private look(): void {
    if (this.working || this.isOver) return;
    this.isStale = false;
    this.working = this.work()
      .then(
        () => {
          this.hasFailed = false;
        },
        ({ message }: Error) => {
          const level = this.hasFailed ? 'warn' : 'debug'; // once is no news: it is tried again within a second
          this.log[level]({ error: message }, 'the homes of tenants could not be looked after');
          this.hasFailed = true;
        },
      )
      .finally(() => {
        this.working = undefined;
        if (this.isStale) this.look();
      });
  }

  private async work(): Promise<void> {
    const { seqs, tenants } = await this.copies.newsAfter(this.seqs);
    const now = performance.now();
    if (tenants.length > 0 || now - this.learntAt > SWEEP_MS) await this.learnHomes();
    for (const tenantId of tenants) {
      const home = this.homes.get(tenantId);
      if (home !== undefined) await this.push(tenantId, home);
    }
    for (const tenantId of this.due(now)) await this.sweep(tenantId, this.homes.get(tenantId) as Home);
    this.seqs = seqs;
  }

  /** Whose turn it is to be looked at. */
  private due(now: number): string[] {
    const due = [...this.sweptAt].filter(([, at]) => now - at >= SWEEP_MS).sort(([, a], [, b]) => a - b);
    return due.slice(0, SWEPT_AT_ONCE).map(([tenantId]) => tenantId);
  }

  private async sweep(tenantId: string, home: Home): Promise<void> {
    this.sweptAt.set(tenantId, performance.now());
    await this.push(tenantId, home);
    await this.tellUse(tenantId, home);
    this.runJobsAt(home);
  }

  private async learnHomes(): Promise<void> {
    this.learntAt = performance.now();
    this.homes = new Map((await dedicatedPlaces(this.jobs)).map(({ tenantId, home }) => [tenantId, home]));
    const livedIn = new Set(this.homes.values());
    await this.places.leaveAllBut(livedIn);
    await this.copies.leaveAllBut(livedIn);
    this.listen();
    for (const [tenantId, stop] of this.heard)
      if (!this.homes.has(tenantId)) {
        stop();
        this.heard.delete(tenantId);
        this.sweptAt.delete(tenantId);
      }
    for (const [tenantId, home] of this.homes) {
      if (!this.sweptAt.has(tenantId)) this.sweptAt.set(tenantId, Number.NEGATIVE_INFINITY);
      this.heard.get(tenantId)?.();
      this.heard.set(
        tenantId,
        this.fanOut.onTenant(tenantId, () => this.runJobsAt(home)),
      );
    }
  }

  /** Listens as long as anybody has a home of their own. */
  private listen(): void {
    if (this.homes.size > 0 === this.stops.length > 0) return;
    for (const stop of this.stops.splice(0)) stop();
    if (this.homes.size === 0) return;
    const wake = () => {
      this.isStale = true;
      this.look();
    };
    this.stops = [this.fanOut.onFeed('licenses', wake), this.fanOut.onFeed('tenants', wake)];
  }

  /** One home that does not answer keeps no other waiting for what it is to know. */
  private push(tenantId: string, home: Home): Promise<void> {
    return this.copies.push(tenantId, home).catch((error: Error) => {
      this.sweptAt.set(tenantId, performance.now() - SWEEP_MS); // again with the next look, behind whoever waits already
      this.log.warn({ error: error.message, tenantId }, 'a home could not be brought what it is to know; trying again');
    });
  }

  private tellUse(tenantId: string, home: Home): Promise<void> {
    return this.copies
      .tellUse(tenantId, home)
      .catch((error: Error) =>
        this.log.warn({ error: error.message, tenantId }, 'what is used at a home was not told'),
      );
  }
}
