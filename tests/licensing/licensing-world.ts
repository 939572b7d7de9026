import type { Context } from '../../subgraphs/_kernel/context.ts';
import { SEED_TENANTS, type SeedTenant, seedId } from '../../subgraphs/_kernel/seed-world.ts';
import type { Envelope } from '../../subgraphs/_kernel/signed-context.ts';
import type { GraphResult } from '../../subgraphs/_kernel/subgraph.ts';
import { type Asker, openWorld, type World } from '../setup/world.ts';

// biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for
export type Answer = any;

export interface LicensingWorld {
  world: World;
  /** Asks licensing as somebody of the example world: data, and errors as the gateway would see them. */
  ask(who: Asker, query: string, variables?: Record<string, unknown>): Promise<Answer>;
  /** Asks as the gateway itself, or as nobody. */
  askAs(kind: 'GATEWAY' | 'ANONYMOUS', query: string, variables?: Record<string, unknown>): Promise<Answer>;
  /** Follows a subscription as somebody; end it with `return()`. */
  follow(who: Asker, query: string): Promise<AsyncGenerator<GraphResult>>;
  /** Acts in a tenant as background work does. */
  inTenant<T>(slug: SeedTenant, run: (ctx: Context) => Promise<T>): Promise<T>;
  /** Looks into the database past every wall, or moves a sandbox's clock. */
  sql(text: string, values?: unknown[]): Promise<Answer[]>;
  close(): Promise<void>;
}

export const tenantId = (slug: SeedTenant) => seedId(SEED_TENANTS[slug]);

export async function openLicensingWorld(env: Record<string, string> = {}): Promise<LicensingWorld> {
  const world = await openWorld(env);
  const licensing = world.subgraph('licensing');
  const signed = (envelope: Partial<Envelope>, query: string, variables: Record<string, unknown>) =>
    world.signed({ ...envelope, deadline: Date.now() + 20_000 }, 'licensing', query, variables);
  return {
    world,
    ask: (who, query, variables) => world.ask(who, 'licensing', query, variables),
    askAs: (kind, query, variables = {}) =>
      licensing.execute(...signed({ caller: { kind, id: null } }, query, variables)),
    async follow(who, query) {
      const { envelope } = await world.context(who, 'licensing');
      const stream = await licensing.subscribe(...signed(envelope, query, {}));
      if (!(Symbol.asyncIterator in stream)) throw new Error(JSON.stringify(stream.errors));
      return stream;
    },
    async inTenant(slug, run) {
      return run(await world.system(slug, 'licensing'));
    },
    sql: world.sql,
    close: () => world.close(),
  };
}
