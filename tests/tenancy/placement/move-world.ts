import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { homeUrl } from '../../../subgraphs/_kernel/homes.ts';
import { SEED_TENANTS, type SeedTenant, seedId } from '../../../subgraphs/_kernel/seed-world.ts';
import { withClient } from '../../setup/database.ts';
import { openGatewayWorld, type Person } from '../../setup/gateway.ts';

// biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for
export type Asked = any;

export const tenantId = (slug: SeedTenant) => seedId(SEED_TENANTS[slug]);

const MOVE = `mutation($input: MoveTenantInput!) { moveTenant(input: $input) {
  move { id state step } userErrors { code message field } } }`;
const MOVED = '{ state step isolation region rowsCopied pausedMs error }';

export interface Wanted {
  tenantId: string;
  isolation: 'SHARED' | 'DEDICATED';
  region?: string;
  idempotencyKey: string;
}

export interface Move {
  state: 'RUNNING' | 'DONE' | 'UNDONE';
  step: string;
  isolation: string;
  region: string;
  rowsCopied: number;
  pausedMs: number | null;
  error: string | null;
}

/** The whole product with somebody of the platform, who moves tenants. */
export async function openMoveWorld() {
  const running = await openGatewayWorld();
  const { world, client, password } = running;
  const ngozi = await client.signIn('ngozi@platform.example', password);
  const asked = async (input: Wanted, who: Person = ngozi) => who.ask<Asked, object>(MOVE, { input });
  const begin = async (slug: SeedTenant, isolation: Wanted['isolation'], region?: string) => {
    const { data, errors } = await asked({ tenantId: tenantId(slug), isolation, region, idempotencyKey: randomUUID() });
    if (!data?.moveTenant.move) throw new Error(JSON.stringify(errors ?? data));
    return data.moveTenant.move.id as string;
  };
  const look = async (id: string): Promise<Move | undefined> =>
    (await ngozi.ask<Asked, object>(`query($id: ID!) { tenantMove(id: $id) ${MOVED} }`, { id })).data?.tenantMove;
  const done = async (id: string, seconds = 60): Promise<Move> => {
    for (const until = Date.now() + seconds * 1_000; ; await sleep(50)) {
      const move = await look(id);
      if (move && move.state !== 'RUNNING') return move; // not answered in time says nothing of it
      if (Date.now() > until) throw new Error(`The move did not end: ${JSON.stringify(move)}`);
    }
  };
  /** The home a tenant lives in, by its name. */
  const homeOf = async (slug: SeedTenant): Promise<string> =>
    (await world.sql('select home from kernel.placement where tenant_id = $1', [tenantId(slug)]))[0].home;
  return {
    ...running,
    ngozi,
    asked,
    begin,
    look,
    done,
    homeOf,
    move: async (slug: SeedTenant, isolation: Wanted['isolation'], region?: string) =>
      done(await begin(slug, isolation, region)),
    /** Runs a statement as the superuser at a home. */
    sqlAt: (home: string, text: string, values: unknown[] = []) =>
      withClient(homeUrl(world.config, home), async (at) => (await at.query(text, values)).rows as Asked[]),
  };
}
export type MoveWorld = Awaited<ReturnType<typeof openMoveWorld>>;
