import { randomUUID } from 'node:crypto';
import { Connection } from './connection.ts';
import { type Ground, judgeFile, type LicenseFile, type Reason, type Revocations, readRevocations } from './judge.ts';
import { fileStore, type Heard, type LicenseStore, Memory } from './memory.ts';
import { type FetchLike, Platform } from './platform.ts';
import { BelievedTime, type Clock, MACHINE_CLOCK } from './time.ts';
import { TrustedKeys } from './trust.ts';
import {
  type Check,
  checkIn,
  type Limit,
  limitIn,
  NO_LICENSE,
  type Standing,
  standingOf,
  type Told,
  type Verdict,
} from './verdict.ts';
import { warningsOf } from './warnings.ts';

export type { Clock } from './time.ts';

export interface LicenseClientOptions {
  tenantId: string;
  /** The id of this installation; without it only files for any installation of the tenant are taken. */
  installationId?: string;
  /** Public halves of the platform's two root keys, 32 bytes in base64url each. Pin them in your source, not in a setting. */
  rootKeys: readonly string[];
  /** Also believes the roots of a development platform, which everybody can sign with. Never in production. */
  isDevelopment?: boolean;
  /** Address of the platform, https://…; without it the installation lives on files that are brought to it. */
  platform?: string;
  /** An access token that may read the licence and issue files; asked for before every request. */
  token?: () => string | Promise<string>;
  /** Where the installation keeps its data; and a file beside it, so that winding back one of the two changes nothing. */
  store?: LicenseStore;
  file?: string;
  /** How long a file shall live, hours, 1 to 720. */
  ttlHours?: number;
  clock?: Clock;
  fetch?: FetchLike;
  /** From 0 to below 1. */
  random?: () => number;
}

/** What is brought to an installation that cannot reach the platform. */
export interface Brought {
  file?: string;
  /** The text of `/.well-known/license-jwks.json`. */
  keySet?: string;
  /** The text of `/.well-known/license-revocations.jws`. */
  revocations?: string;
}

/**
 * Says what the licence opens, on the installation itself. Whatever goes wrong, it throws nothing and stops nothing: without
 * an acceptable file only the core works, and `verdict()` says why.
 */
export class LicenseClient {
  private readonly options: LicenseClientOptions;
  private readonly keys: TrustedKeys;
  private readonly memory: Memory;
  private readonly time: BelievedTime;
  private readonly connection: Connection | undefined;
  private readonly faults: string[] = [];
  private file: LicenseFile | null = null;
  private reason: Reason | null = 'NO_FILE';
  private revocations: Revocations | null = null;
  private epoch = 0;
  private seq = 0;
  private heard: Heard | null = null;

  constructor(options: LicenseClientOptions) {
    this.options = options;
    this.keys = new TrustedKeys(options.rootKeys, options.isDevelopment ?? false);
    if (this.keys.fault) this.faults.push(this.keys.fault);
    this.memory = new Memory([options.store ?? [], options.file === undefined ? [] : fileStore(options.file)].flat());
    this.time = new BelievedTime(options.clock ?? MACHINE_CLOCK);
    this.connection = this.connect();
  }

  /** Reads what is remembered, and begins to follow the platform without waiting for it. */
  async start(): Promise<Verdict> {
    await this.recall();
    this.connection?.open();
    return this.verdict();
  }

  /** Stops following the platform. What is known goes on to be answered. */
  async stop(): Promise<void> {
    await this.connection?.close();
    await this.save();
  }

  /** Looks after keys, revocations and the file now, rather than within half a minute. */
  async refresh(): Promise<Verdict> {
    await this.recall();
    await this.connection?.refresh();
    return this.verdict();
  }

  /** Takes what was carried here. `reason` says why the file was not accepted; one that was accepted before stays. */
  async bring({ file, keySet, revocations }: Brought): Promise<Verdict> {
    await this.recall();
    if (keySet !== undefined) this.learnKeys(keySet);
    if (revocations !== undefined) this.learnRevocations(revocations);
    const refused = file === undefined ? null : this.take(file);
    await this.save();
    const verdict = this.verdict();
    return { ...verdict, reason: refused ?? verdict.reason };
  }

  /** Whether a feature is open: FULL, for READing only, or NONE. `core` is whatever is not a feature. */
  check(feature: string): Check {
    return checkIn(this.standing(), feature);
  }

  /** How much of a quota is allowed, in its base unit. */
  limit(key: string): Limit {
    return limitIn(this.standing(), key);
  }

  verdict(): Verdict {
    const { now, isBehind } = this.time.read();
    const standing = this.standing();
    const { state, source, reason } = standing;
    const warnings = warningsOf(standing, {
      ...{ file: this.file, revocations: this.revocations, now, isClockBehind: isBehind },
      isConnected: this.connection === undefined || source === 'ONLINE',
      faults: [...this.faults, ...this.memory.faults, ...(this.connection?.faults ?? [])],
    });
    return { state, source, reason, ageSeconds: this.ageSeconds(source, now), warnings };
  }

  private ageSeconds(source: Verdict['source'], now: number): number | null {
    if (source === 'NONE') return null;
    const ms = source === 'ONLINE' ? this.connection?.silentMs() : now - Number(this.file?.iat) * 1_000;
    return Math.max(0, Math.floor(Number(ms) / 1_000));
  }

  private standing(): Standing {
    const { file, reason, heard } = this;
    return standingOf({ file, reason, heard, told: this.connection?.told ?? null, now: this.time.read().now });
  }

  private ground(): Ground {
    const { tenantId, installationId = null } = this.options;
    const known = { keys: this.keys, revocations: this.revocations, epoch: this.epoch };
    return { ...known, tenantId, installationId, now: this.time.read().now };
  }

  /** Reads the stores that were not read yet. What they know counts from then on, also against what is held. */
  private async recall(): Promise<void> {
    const known = await this.memory.load();
    if (!known) return;
    this.time.remember(known.time);
    this.epoch = Math.max(this.epoch, known.epoch);
    this.seq = Math.max(this.seq, known.seq);
    if (known.heard && known.heard.version > (this.heard?.version ?? -1)) this.heard = known.heard;
    for (const statement of known.statements) this.keys.believe(statement);
    for (const list of known.lists) this.learnRevocations(list);
    this.lookAgain();
    for (const file of known.files) this.take(file);
  }

  /** Holds the file that is held against what is known now. */
  private lookAgain(): void {
    if (!this.file) return;
    this.reason = judgeFile(this.file.jws, this.ground()).reason ?? null;
    if (this.reason) this.file = null;
  }

  private learnKeys(text: string): void {
    try {
      this.keys.learn(JSON.parse(text));
    } catch {
      // no key set: nothing was learnt
    }
  }

  /** Takes a list that is not older than the one that is held, and looks at the held file again. */
  private learnRevocations(text: string): boolean {
    const list = readRevocations(text, this.ground());
    if (!list || list.seq < this.seq) return false;
    this.revocations = list;
    this.seq = list.seq;
    this.lookAgain();
    return true;
  }

  /** Takes a file if it is acceptable, or says why not. One that is refused does not replace one that was accepted. */
  private take(text: string): Reason | null {
    const { file, reason } = judgeFile(text, this.ground());
    if (!file) {
      if (!this.file) this.reason = reason;
      return reason;
    }
    Object.assign(this, { file, reason: null, epoch: file.epoch });
    return null;
  }

  private hear({ version, state }: Told): void {
    const known = Math.max(version, this.heard?.version ?? 0, this.file?.ver ?? 0);
    this.heard = { version: state === NO_LICENSE ? known : version, state };
    void this.save();
  }

  private save(): Promise<void> {
    this.time.read();
    return this.memory.save({
      ...{ epoch: this.epoch, seq: this.seq, time: Math.floor(this.time.floor()), heard: this.heard },
      files: this.file ? [this.file.jws] : [],
      lists: this.revocations ? [this.revocations.jws] : [],
      statements: this.keys.statements,
    });
  }

  private connect(): Connection | undefined {
    const { platform, token = () => '', fetch = globalThis.fetch, random = Math.random } = this.options;
    const { installationId = null, ttlHours = 168 } = this.options;
    if (platform === undefined) return undefined;
    try {
      return new Connection(new Platform(platform, token, fetch), {
        random,
        file: () => this.file,
        now: () => this.time.read().now,
        learnKeys: (text) => this.learnKeys(text),
        learnRevocations: (text) => this.learnRevocations(text),
        take: (text) => this.take(text),
        hear: (told) => this.hear(told),
        recall: () => this.recall(),
        save: () => this.save(),
        asked: () => ({ installationId, ttlHours, idempotencyKey: randomUUID() }),
      });
    } catch (error) {
      this.faults.push((error as Error).message);
      return undefined;
    }
  }
}
