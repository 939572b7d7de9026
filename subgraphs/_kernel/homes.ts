import type { EntityClass } from '@mikro-orm/postgresql';
import type pg from 'pg';
import type { Config } from './config.ts';
import { connect, type Db, PLATFORM_TENANT } from './db.ts';
import type { Logger } from './telemetry.ts';

/** The name of a home: a database in which tenants' rows live. That of the control plane has the empty name. */
export type Home = string;
export const CONTROL: Home = '';

/** Where a tenant lives, and how often it has moved. */
export interface Place {
  home: Home;
  version: number;
}

/** Pools open at homes in this process; the least used closes first. */
const MAX_POOLS = 200;
/** How long a connection nobody uses is kept at a home, milliseconds: there are many homes, each with little to do. */
const IDLE_MS = 10_000;
/** Tenants whose place is remembered. */
const MAX_PLACES = 50_000;

/**
 * The URL of a home: the one the environment gives its name, or a database beside that of the control plane whose name
 * begins with that one's.
 */
export function homeUrl({ DATABASE_URL, HOME_URLS }: Pick<Config, 'DATABASE_URL' | 'HOME_URLS'>, home: Home): string {
  if (home === CONTROL) return String(DATABASE_URL);
  const given = HOME_URLS.find((pair) => pair.startsWith(`${home}=`));
  if (given) return given.slice(home.length + 1);
  const url = new URL(String(DATABASE_URL));
  url.pathname = `${url.pathname}_${home}`;
  return url.href;
}

/** The configuration as it is at a home. */
export const configAt = (config: Config, home: Home): Config => ({ ...config, DATABASE_URL: homeUrl(config, home) });

interface OpenPool {
  db: Promise<Db>;
  /** Operations that run in it now. */
  users: number;
  usedAt: number;
}

/** The pools of a process at the homes of tenants, over all its subgraphs. */
export class HomePools {
  private readonly open = new Map<string, OpenPool>();
  private readonly config: Config;
  private readonly log: Logger;
  private turn = 0;

  constructor(config: Config, log: Logger) {
    this.config = config;
    this.log = log;
  }

  get size(): number {
    return this.open.size;
  }

  /** The pool of a role at a home, opened if it is not. It stays open until `release`. */
  async take(home: Home, role: string, entities: EntityClass<object>[]): Promise<Db> {
    const key = `${home}/${role}`;
    let held = this.open.get(key);
    if (!held) {
      const made: OpenPool = {
        db: connect(configAt(this.config, home), role, entities, this.log, IDLE_MS),
        users: 0,
        usedAt: 0,
      };
      made.db.catch(() => this.open.get(key) === made && this.open.delete(key));
      this.open.set(key, made);
      held = made;
      this.closeLeastUsed();
    }
    held.users += 1;
    held.usedAt = ++this.turn;
    try {
      return await held.db;
    } catch (error) {
      held.users -= 1;
      throw error;
    }
  }

  release(home: Home, role: string): void {
    const held = this.open.get(`${home}/${role}`);
    if (held) held.users -= 1;
  }

  /** Closes what is open at a home, which is about to go. */
  async leave(home: Home): Promise<void> {
    for (const key of [...this.open.keys()]) if (key.startsWith(`${home}/`)) await this.closeOne(key);
  }

  /** Closes what nobody uses at any other home than these. */
  async leaveAllBut(homes: ReadonlySet<Home>): Promise<void> {
    for (const [key, { users }] of [...this.open])
      if (users === 0 && !homes.has(key.split('/')[0] as Home)) await this.closeOne(key);
  }

  async close(): Promise<void> {
    await Promise.all([...this.open.keys()].map((key) => this.closeOne(key)));
  }

  private closeLeastUsed(): void {
    if (this.open.size <= MAX_POOLS) return;
    const idle = [...this.open].filter(([, { users, usedAt }]) => users === 0 && usedAt > 0);
    const [least] = idle.sort(([, a], [, b]) => a.usedAt - b.usedAt);
    if (least) void this.closeOne(least[0]);
  }

  private async closeOne(key: string): Promise<void> {
    const held = this.open.get(key);
    this.open.delete(key);
    await held?.db.then((db) => db.close()).catch(() => undefined);
  }
}

/** A pool and whose home it is; given back when the operation that runs in it is over. */
export interface Stay extends Place {
  db: Db;
  leave(): void;
}

/** How one subgraph finds the home of a tenant. */
export class Homes {
  private readonly places = new Map<string, Place>();
  private readonly db: Db;
  private readonly pools: HomePools;
  private readonly role: string;
  private readonly entities: EntityClass<object>[];
  /** Whether its rows live at homes at all. */
  readonly isAtHome: boolean;

  /** @param db the pool of the subgraph at the control plane's database. */
  constructor(db: Db, pools: HomePools, role: string, entities: EntityClass<object>[], isAtHome: boolean) {
    this.db = db;
    this.pools = pools;
    this.role = role;
    this.entities = entities;
    this.isAtHome = isAtHome;
  }

  /** The pool of this subgraph at a home, whoever lives there. */
  async at(home: Home): Promise<Pick<Stay, 'db' | 'leave'>> {
    if (home === CONTROL) return { db: this.db, leave: () => undefined };
    const db = await this.pools.take(home, this.role, this.entities);
    return { db, leave: () => this.pools.release(home, this.role) };
  }

  /** The pool of the control plane's role at a home, to read there across tenants. */
  async platformAt(home: Home): Promise<Pick<Stay, 'db' | 'leave'>> {
    const db = await this.pools.take(home, 'dotmac_platform', this.entities);
    return { db, leave: () => this.pools.release(home, 'dotmac_platform') };
  }

  /** Where this subgraph's rows of a tenant are. A caller that knows a newer placement makes it look again. */
  async placeOf(tenantId: string, knownVersion = 0): Promise<Place> {
    if (!this.isAtHome || tenantId === PLATFORM_TENANT) return { home: CONTROL, version: knownVersion };
    const held = this.places.get(tenantId);
    if (held && held.version >= knownVersion) return held;
    const [row] = await this.db.fork().execute('select version, home from kernel.placement_of(?)', [tenantId]);
    const place: Place = { home: row?.home ?? CONTROL, version: Math.max(row?.version ?? 0, knownVersion) };
    if (this.places.size >= MAX_PLACES) this.places.delete(this.places.keys().next().value as string);
    this.places.set(tenantId, place);
    return place;
  }

  /** Closes every pool of this process at a home, which is about to go. */
  leave(home: Home): Promise<void> {
    return this.pools.leave(home);
  }

  /** Closes the pools of this process at homes in which nobody lives any more. */
  leaveAllBut(homes: ReadonlySet<Home>): Promise<void> {
    return this.pools.leaveAllBut(homes);
  }

  /** Looks again where a tenant lives when it is next asked for. */
  forget(tenantId: string): void {
    this.places.delete(tenantId);
  }
}

/** What a database refuses an entering transaction with: the tenant lives elsewhere, or it is not written at present. */
export const ELSEWHERE = 'TN002';
export const PAUSED = 'TN003';

/** Whether something failed because a home was dropped. */
export const isGone = (error: unknown): boolean => (error as { code?: unknown }).code === '3D000';

/** Every tenant with a home of its own, as who runs jobs reads it. */
export async function dedicatedPlaces(client: Pick<pg.Pool, 'query'>): Promise<{ tenantId: string; home: Home }[]> {
  const { rows } = await client.query(
    `select tenant_id as "tenantId", home from kernel.placement where home <> '' order by 1`,
  );
  return rows;
}
