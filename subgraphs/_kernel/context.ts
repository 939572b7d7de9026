import { randomUUID } from 'node:crypto';
import { ClientError, type Entitled, unauthenticated } from '../../schema/errors.ts';
import type { Feature, FeatureAccess } from '../../schema/features.ts';
import { PERMISSIONS, type Permission, packPermissions, unpackPermissions } from '../../schema/permissions.ts';
import type { SettingKey, SettingValue } from '../../schema/settings.ts';
import type { Config } from './config.ts';
import { type Db, type EntityManager, PLATFORM_TENANT } from './db.ts';
import { type EntitlementStep, stepAt } from './entitlement-course.ts';
import { type FeedName, finish, NOTHING_TOLD, type Told } from './events.ts';
import type { FanOut } from './fan-out.ts';
import type { HomeCopies } from './home-copies.ts';
import type { Migrate } from './home-databases.ts';
import { CONTROL, ELSEWHERE, type Home, type Homes, isGone, PAUSED, type Place, type Stay } from './homes.ts';
import type { Following } from './live.ts';
import { type Loader, Loaders } from './loader.ts';
import { handOverMails } from './mail.ts';
import { type HeldSettings, heldSettings, settingIn } from './settings.ts';
import { anonymousEnvelope, type Envelope } from './signed-context.ts';
import { type Logger, traceParent } from './telemetry.ts';
import { begin, cancel, settle, transact } from './transaction.ts';

/** What a subgraph's process holds, whoever asks. */
export interface Machinery {
  name: string;
  db: Db;
  /** Reads across tenants for the control plane; given to the subgraphs that are it. */
  platformDb?: Db;
  /** Where its rows of each tenant are. */
  homes: Homes;
  /** Carries what is held twice between the control plane and the homes. */
  copies: HomeCopies;
  /** Brings a database up to this version. */
  migrate: Migrate;
  /** Hears what was committed at a home that is not the control plane's. */
  onCommitAt?: (home: Home, tenantId: string, told: Told) => void;
  fanOut: FanOut;
  log: Logger;
  config: Config;
}

/** What goes back to the gateway beside the answer; clients never see it. */
export interface Reply {
  /** Set the cookie of the refresh token, or with null clear it. */
  refreshCookie?: { value: string; maxAgeSeconds: number } | null;
  /** Feeds this request wrote to: its gateway reads them before it answers, so its caller never meets the former state. */
  told?: FeedName[];
  /** The answer may hang on who asked, and not alone on what they may: it is nobody else's. */
  isPersonal?: true;
  /** The queue behind this door is full: whoever comes in the next moments would be turned away as well. */
  isFull?: true;
  /** Features a gate would have refused had it not only observed, each with the first door it was asked at. */
  observed?: Partial<Record<Feature, string>>;
}

/** Statements of a request run at most this long, milliseconds. */
const STATEMENT_MS = 3_000;

/**
 * Who asks, for which tenant, with which rights, and the one transaction they ask in. Reads share one READ ONLY
 * transaction for the whole operation; each use case opens one of its own and commits it before it returns.
 */
export class Context {
  /** Looking at what tells who asks makes the answer theirs alone. */
  readonly envelope: Envelope;
  readonly machinery: Machinery;
  readonly log: Logger;
  /** What the gateway shall do with the answer beside sending it. */
  readonly reply: Reply;
  /** Set for whoever follows a stream by its places. */
  following?: Following;
  /** Reads see one moment, however many statements they take. */
  readsOneMoment = false;
  private readonly held: Envelope;
  private readonly loaders = new Loaders(this);
  /** Contexts of other tenants this caller entered; they end with this one. */
  private readonly entered: Context[] = [];
  private readonly holds: (permission: Permission) => boolean;
  private writing: EntityManager | undefined;
  private reading: Promise<Reading> | undefined;
  private at: Date | undefined;
  /** Places in the log before this one were given at another home of the tenant. Known once a transaction has begun. */
  logFrom = 0;
  private settings: Promise<HeldSettings> | undefined;
  /** Nobody waits for the answer any more. */
  isCancelled = false;
  private readonly running = new Set<EntityManager>();
  private isOver = false;

  constructor(envelope: Envelope, machinery: Machinery, reply: Reply = {}) {
    this.reply = reply;
    this.held = envelope;
    this.envelope = watched(envelope, reply);
    this.machinery = machinery;
    this.log = machinery.log;
    this.holds = unpackPermissions(envelope.permissions);
  }

  /** The tenant of the caller. Throws UNAUTHENTICATED for a caller that has none. */
  get tenantId(): string {
    if (!this.held.tenantId) throw unauthenticated('NO_TENANT');
    return this.held.tenantId;
  }

  get isPlatform(): boolean {
    return this.held.tenantId === PLATFORM_TENANT;
  }

  /** The person or key that asks; null for anonymous callers and the system. */
  get actorId(): string | null {
    return this.envelope.caller.id;
  }

  can(permission: Permission): boolean {
    return this.holds(permission);
  }

  access(feature: Feature): Entitled {
    return (
      this.held.features[feature] ?? {
        access: 'NONE',
        reason: this.held.licenseVersion === 0 ? 'NO_LICENSE' : 'NOT_IN_PLAN',
      }
    );
  }

  get core(): FeatureAccess {
    return this.held.core;
  }

  /** What gates let pass of features that are simply not in the plan: NONE, unless they only observe. */
  get observed(): FeatureAccess {
    return this.held.observed ?? 'NONE';
  }

  /** The only clock: the transaction's time, moved by a sandbox's offset. Needs a transaction that has begun. */
  now(): Date {
    if (!this.at) throw new Error('ctx.now() was asked before any transaction began.');
    return this.at;
  }

  /**
   * Runs a use case in one transaction of this tenant; inside another it joins it. Events it emits are written with it.
   * For an operator who may only look it is READ ONLY, whatever the doors let through (identity R17).
   * Throws what `run` throws, after rolling everything back.
   */
  async tx<T>(run: (em: EntityManager) => Promise<T>): Promise<T> {
    if (this.writing) return run(this.writing);
    this.mustBeOpen();
    await this.endReading();
    this.settings = undefined;
    return this.atHome((stay) => this.writeAt(stay, run));
  }

  private async writeAt<T>({ db, home, leave }: Stay, run: (em: EntityManager) => Promise<T>): Promise<T> {
    const em = this.fork(db);
    let told: Told | undefined;
    try {
      const result = await transact(
        em,
        { isReadOnly: this.held.actingFor?.mode === 'READ', name: this.machinery.name },
        (e) => this.enter(e, home),
        (e) => {
          this.writing = e;
          return run(e);
        },
        async (e) => {
          await handOverMails(e, this.machinery.config);
          told = await finish(e, this.tenantId);
        },
      );
      this.passOn(home, told);
      return result;
    } finally {
      this.writing = undefined;
      this.running.delete(em);
      this.loaders.clear();
      leave();
      this.settings = undefined;
    }
  }

  /** Passes on what is committed: to the other processes, and to the gateway that asked. */
  private passOn(home: Home, told: Told = NOTHING_TOLD): void {
    const { feeds, ears } = told;
    const { fanOut, onCommitAt } = this.machinery;
    if (ears.length > 0 && !isToldByCommit(fanOut, home)) fanOut.tell(ears);
    if (home !== CONTROL) onCommitAt?.(home, this.tenantId, told);
    if (feeds.length > 0) this.reply.told = [...new Set([...(this.reply.told ?? []), ...feeds])];
  }

  /** The EntityManager reads go through: the running use case's, or the operation's READ ONLY transaction. */
  async em(): Promise<EntityManager> {
    if (this.writing) return this.writing;
    this.mustBeOpen();
    this.reading ??= this.beginReading();
    return (await this.reading).em;
  }

  load<V>(loader: Loader<V>, id: string): Promise<V | null> {
    return this.loaders.load(loader, id);
  }

  /** What the caller's tenant has set, or the default; read once, and again after a write. */
  async setting<K extends SettingKey>(key: K): Promise<SettingValue<K>> {
    this.settings ??= this.em().then(heldSettings);
    return settingIn(await this.settings, key);
  }

  /** The same caller acting inside a tenant it names: for the control plane's doors, whose permissions say who may. */
  inTenant(tenantId: string): Context {
    if (!this.machinery.platformDb)
      throw new Error(`${this.machinery.name} is no part of the control plane and enters no tenants.`);
    const licenseVersion = tenantId === this.held.tenantId ? this.held.licenseVersion : 0; // another's is not known
    const placementVersion = tenantId === this.held.tenantId ? this.held.placementVersion : undefined;
    const envelope = { ...this.held, tenantId, customerId: undefined, licenseVersion, placementVersion };
    const entered = new Context(envelope, this.machinery, this.reply);
    entered.following = this.following;
    this.entered.push(entered);
    return entered;
  }

  /** Reads across tenants, through the control plane's own role; the caller's permission was checked at the door. */
  async acrossTenants<T>(run: (em: EntityManager) => Promise<T>): Promise<T> {
    const db = this.machinery.platformDb;
    if (!db) throw new Error(`${this.machinery.name} is no part of the control plane.`);
    const em = this.fork(db);
    const start = async () => this.mustBeOpen();
    try {
      return await transact(em, { isReadOnly: true, name: this.machinery.name }, start, run, async () => undefined);
    } finally {
      this.running.delete(em);
    }
  }

  /** Ends what is still open. Whoever made the context calls it, whatever happened. */
  async end(): Promise<void> {
    await Promise.all([this.endReading(), ...this.entered.splice(0).map((entered) => entered.end())]);
  }

  /** Ends it for good: a branch of the operation that still runs when it is answered opens nothing any more. */
  async close(): Promise<void> {
    this.isOver = true;
    await Promise.all([this.endReading(), ...this.entered.map((entered) => entered.close())]);
  }

  /**
   * Nobody waits for the answer any more: whatever runs for it in the database is stopped and rolled back, and nothing new
   * begins. A commit that is on its way is not stopped.
   */
  cancel(): void {
    this.isCancelled = true;
    this.isOver = true;
    for (const em of this.running) cancel(em);
    for (const entered of this.entered) entered.cancel();
  }

  private mustBeOpen(): void {
    if (this.isOver) throw new Error('The operation was answered already.');
  }

  private beginReading(): Promise<Reading> {
    return this.atHome(async ({ db, home, leave }) => {
      const em = this.fork(db);
      await begin(em, true, this.readsOneMoment).catch((error) => {
        leave();
        throw error;
      });
      try {
        await this.enter(em, home);
      } catch (error) {
        await this.letGo({ em, leave });
        throw error;
      }
      return { em, leave };
    });
  }

  /**
   * Does something at the home of the tenant, which it begins by entering there. A home the tenant has left refuses that, or
   * is gone, and it is done once more where the tenant is now.
   */
  private async atHome<T>(work: (stay: Stay) => Promise<T>): Promise<T> {
    const { homes } = this.machinery;
    const at = async (place: Place) => work({ ...place, ...(await homes.at(place.home)) });
    const place = await homes.placeOf(this.tenantId, this.held.placementVersion);
    try {
      return await at(place);
    } catch (error) {
      if (!(error instanceof NotHere) && !isGone(error)) throw error;
      homes.forget(this.tenantId);
      const next = await homes.placeOf(this.tenantId);
      if (next.home === place.home) throw error;
      return at(next);
    }
  }

  private async endReading(): Promise<void> {
    const held = this.reading;
    this.reading = undefined;
    const reading = await held?.catch(() => undefined);
    await (reading && this.letGo(reading));
  }

  /** An EntityManager whose transaction ends when nobody waits for the answer any more. */
  private fork(db = this.machinery.db): EntityManager {
    const em = db.fork();
    this.running.add(em);
    return em;
  }

  /** Ends a transaction in which nothing was written: a rollback does it as well as a commit. */
  private async letGo({ em, leave }: Reading): Promise<void> {
    await settle(em, 'rollback').catch(() => undefined);
    this.running.delete(em);
    leave();
  }

  private async enter(em: EntityManager, home: Home): Promise<void> {
    this.mustBeOpen();
    const { caller, actingFor, customerId, deadline, requestId } = this.held;
    const left = Math.max(50, Math.min(STATEMENT_MS, deadline - Date.now()));
    const settings = {
      'app.tenant_id': this.tenantId,
      'app.customer_id': customerId ?? '',
      'app.actor': caller.id ?? caller.kind,
      'app.acting_for': actingFor?.operator ?? '',
      'app.request_id': requestId,
      'app.trace': traceParent() ?? '',
      'app.news': isToldByCommit(this.machinery.fanOut, home) ? '' : 'elsewhere',
      statement_timeout: `${Math.round(left)}ms`,
    };
    const [row] = await em
      .execute('select * from kernel.enter(?::jsonb)', [JSON.stringify(settings)])
      .catch((error: unknown) => {
        throw refusalOf(error);
      });
    this.at = new Date(row?.at);
    this.logFrom = Number(row?.log_from);
  }
}

interface Reading {
  em: EntityManager;
  /** Gives its pool back. */
  leave: () => void;
}

/** A home refuses to be entered: its tenant lives elsewhere now, or is moving and not written for the moment. */
class NotHere extends ClientError {}

const refusalOf = (error: unknown): unknown => {
  const { code } = error as { code?: unknown };
  if (code === PAUSED)
    return new NotHere('FORBIDDEN', 'Nothing can be changed here at the moment.', { reason: 'TENANT_READ_ONLY' });
  return code === ELSEWHERE ? new NotHere('OVERLOADED', 'This is moving. Please try again in a moment.') : error;
};

/** PostgreSQL carries the news of a commit itself, but only to who listens at the control plane's database. */
const isToldByCommit = ({ engine }: FanOut, home: Home) => engine === 'POSTGRES' && home === CONTROL;

/** What in an envelope tells who asks; the rest tells what they may, and is the same for all who may the same. */
const PERSONAL: ReadonlySet<string | symbol> = new Set<keyof Envelope>([
  'actingFor',
  'sessionId',
  'membershipId',
  'strongAt',
  'proofs',
  'provedMail',
  'address',
  'origin',
  'agent',
  'refreshCookie',
]);

/**
 * An envelope that notes when something was read that tells who asks, so that a gateway may serve one answer to all who
 * may the same, and not by mistake. What a transaction is told of its caller for audit and log does not count.
 */
function watched(envelope: Envelope, reply: Reply): Envelope {
  const note = () => {
    reply.isPersonal = true;
  };
  const caller = new Proxy(envelope.caller, {
    get(target, key) {
      if (key === 'id') note();
      return target[key as keyof typeof target];
    },
  });
  return new Proxy(envelope, {
    get(target, key) {
      if (key === 'caller') return caller;
      if (PERSONAL.has(key)) note();
      return target[key as keyof Envelope];
    },
  });
}

const EVERYTHING = packPermissions(PERMISSIONS);

/** Background work takes as long as it takes; each of its statements has an end. */
const NO_DEADLINE = Number.MAX_SAFE_INTEGER;

/**
 * The context of background work: every permission, and the features the tenant's licence opens now, read from the
 * database because no gateway stands before it.
 */
export async function systemContext(machinery: Machinery, tenantId: string): Promise<Context> {
  const bare: Envelope = {
    ...anonymousEnvelope(),
    caller: { kind: 'SYSTEM', id: null },
    tenantId,
    permissions: EVERYTHING,
    deadline: NO_DEADLINE,
  };
  const reader = new Context(bare, machinery);
  try {
    const em = await reader.em();
    const [row] = await em.execute('select version, course from kernel.entitlement');
    const step = stepAt((row?.course ?? []) as EntitlementStep[], reader.now());
    return new Context(
      {
        ...bare,
        requestId: randomUUID(),
        licenseVersion: row?.version ?? 0,
        features: step?.features ?? {},
        core: step?.core ?? 'FULL',
        ...(step?.coreReason ? { coreReason: step.coreReason } : {}),
        ...(step?.observed ? { observed: step.observed } : {}),
      },
      machinery,
    );
  } finally {
    await reader.end();
  }
}
