import type { GraphQLFormattedError } from 'graphql';
import { uuidv7 } from 'uuidv7';
import type { Feature } from '../schema/features.ts';
import type { Logger } from '../subgraphs/_kernel/telemetry.ts';
import type { Ask } from './ask.ts';
import { countDenial, denialsLost } from './metrics.ts';
import type { Standing } from './standing.ts';

type DeniedFeature = Feature | 'core';

/** A feature that an answer went without, or would have, had the gate not only observed. */
interface Denied {
  feature: DeniedFeature;
  /** The door it was asked at, `Type.field`. */
  coordinate: string;
  reason: string;
  wasObserved: boolean;
}

/** The same as licensing is told of it. */
interface DenialReport extends Denied {
  id: string;
  tenantId: string;
  /** The plan of the licence that denied. */
  plan: string | null;
  actor: string | null;
  at: string;
}

/** Denials held until they are written; over that they are counted and forgotten. */
const MAX_HELD = 10_000;
/** How often they are sent to licensing, milliseconds. */
const FLUSH_MS = 1_000;
/** How many are sent at once: so few that they are written within one request's time, whoever's they are. */
const BATCH = 250;

const RECORD = 'mutation($denials: [DenialReport!]!) { recordDenials(denials: $denials) }';

/**
 * What licences denied, on its way into the database. Nobody waits for it: an answer takes the denial's id along, and
 * what cannot be written is sent again, until there is no more room for it. Writing one twice is harmless.
 */
export class DenialLog {
  private held: DenialReport[] = [];
  private flushing: Promise<void> | undefined;
  private readonly ask: Ask;
  private readonly log: Logger;
  private readonly timer: NodeJS.Timeout;

  constructor(ask: Ask, log: Logger) {
    this.ask = ask;
    this.log = log;
    this.timer = setInterval(() => void this.flush(), FLUSH_MS).unref();
  }

  /** Notes what an answer's errors deny, once per feature, and tells each error the id of that record. */
  noteErrors(errors: readonly GraphQLFormattedError[], standing: Standing): GraphQLFormattedError[] {
    const ids = new Map<unknown, string | undefined>();
    return errors.map((error) => {
      if (error.extensions?.code !== 'FEATURE_NOT_LICENSED') return error;
      const { coordinate, ...extensions } = error.extensions;
      const { feature, reason } = extensions as { feature: DeniedFeature; reason: string };
      if (!ids.has(feature))
        ids.set(feature, this.note(standing, { feature, coordinate: String(coordinate), reason, wasObserved: false }));
      const denialId = ids.get(feature);
      return { ...error, extensions: denialId ? { ...extensions, denialId } : extensions };
    });
  }

  /** Notes what gates let pass that only observe; `known` are features that were noted before. */
  noteObserved(observed: Partial<Record<Feature, string>>, standing: Standing, known: readonly Feature[] = []): void {
    for (const [feature, coordinate] of Object.entries(observed) as [Feature, string][])
      if (!known.includes(feature))
        this.note(standing, { feature, coordinate, reason: 'NOT_IN_PLAN', wasObserved: true });
  }

  /** Counts a denial and answers the id of its record. What nobody could buy, core, and what is nobody's has none. */
  private note({ caller, license }: Standing, denied: Denied): string | undefined {
    countDenial({ ...denied, plan: license?.plan });
    if (denied.feature === 'core' || !caller.tenantId) return undefined;
    const id = uuidv7();
    const { tenantId, userId: actor } = caller;
    if (this.held.length < MAX_HELD)
      this.held.push({ ...denied, id, tenantId, actor, plan: license?.plan ?? null, at: new Date().toISOString() });
    else denialsLost.inc();
    return id;
  }

  /** Sends what is held, batch by batch. Never throws: what could not be sent stays. */
  flush(): Promise<void> {
    this.flushing ??= this.send().finally(() => {
      this.flushing = undefined;
    });
    return this.flushing;
  }

  /** Sends what is left, once. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.flushing;
    await this.flush();
    denialsLost.inc(this.held.length);
  }

  private async send(): Promise<void> {
    while (this.held.length > 0) {
      const denials = this.held.slice(0, BATCH);
      try {
        await this.ask('licensing', RECORD, { denials });
      } catch (error) {
        this.log.warn({ error: (error as Error).message, held: this.held.length }, 'denials could not be written');
        return;
      }
      this.held.splice(0, denials.length);
    }
  }
}
