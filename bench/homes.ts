import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { packPermissions, permissionsOf } from '../schema/permissions.ts';
import { createHome, migrateHome } from '../subgraphs/_kernel/home-databases.ts';
import { homeUrl } from '../subgraphs/_kernel/homes.ts';
import { SEED_TENANTS, seedId } from '../subgraphs/_kernel/seed-world.ts';
import type { Envelope } from '../subgraphs/_kernel/signed-context.ts';
import { migrate } from '../subgraphs/migrate.ts';
import { withClient } from '../tests/setup/database.ts';
import { openWorld, type World } from '../tests/setup/world.ts';
import { median, option, percentile, type Result } from './setup.ts';

/** Tenants with a database of their own, and as many without; `--homes=20` for fewer. */
const HOMES = 200;
const READERS = 4;
const ROUNDS = 5;
const ROUND_MS = 4_000;
const MAX_RATIO = 1.2;
/** A home all others are copies of. */
const PATTERN = 'pattern';
const NORTHWIND = seedId(SEED_TENANTS.northwind);

const READ = 'query($id: ID!) { ticket(id: $id) { id number subject status } }';

/** A tenant, and the one ticket it has. */
interface Reader {
  tenantId: string;
  ticketId: string;
}

/**
 * Point reads of tenants that have a database each, against the same of as many tenants that share one, in turns: one
 * operation of a subgraph as the gateway asks it, each time of the next tenant, every answer checked. All the process does
 * for homes besides, whatever is asked, goes on meanwhile.
 */
export async function homes(): Promise<Result[]> {
  const count = option('homes', HOMES);
  const world = await openWorld();
  try {
    const shared = await makeShared(world, count);
    const dedicated = await makeDedicated(world, count);
    const asking = await asker(world);
    for (const tenants of [shared, dedicated]) await readAll(asking, tenants);
    const took = { shared: [] as number[][], dedicated: [] as number[][] };
    let most = 0;
    for (let round = 0; round < ROUNDS; round++) {
      took.shared.push(await readFor(asking, shared));
      took.dedicated.push(await readFor(asking, dedicated));
      most = Math.max(most, await connectionsOf(world));
    }
    return judge(took, count, most);
  } finally {
    await world.close();
  }
}

type Ask = (of: Reader) => Promise<void>;

/** Asks for a tenant's ticket, and throws unless it is the one that was asked for. */
async function asker(world: World): Promise<Ask> {
  const { envelope } = await world.system('northwind', 'tickets');
  const granted: Partial<Envelope> = {
    caller: { kind: 'USER', id: randomUUID() },
    permissions: packPermissions(permissionsOf(['tenant_admin'])),
    features: envelope.features,
    core: envelope.core,
    licenseVersion: envelope.licenseVersion,
  };
  const { execute } = world.subgraph('tickets');
  return async ({ tenantId, ticketId }) => {
    const asked = world.signed({ ...granted, tenantId, placementVersion: 1 }, 'tickets', READ, { id: ticketId });
    const { data, errors } = await execute(...asked);
    const { id, subject } = (data?.ticket ?? {}) as { id?: string; subject?: string };
    if (id !== ticketId || subject !== tenantId) throw new Error(JSON.stringify(errors ?? data));
  };
}

async function readAll(ask: Ask, tenants: Reader[]): Promise<void> {
  for (let i = 0; i < tenants.length; i += READERS) await Promise.all(tenants.slice(i, i + READERS).map(ask));
}

/** How long reads of one tenant after the other took, milliseconds. */
async function readFor(ask: Ask, tenants: Reader[]): Promise<number[]> {
  const took: number[] = [];
  const until = performance.now() + ROUND_MS;
  let next = 0;
  const reader = async () => {
    while (performance.now() < until) {
      const beganAt = performance.now();
      await ask(tenants[next++ % tenants.length] as Reader);
      took.push(performance.now() - beganAt);
    }
  };
  await Promise.all(Array.from({ length: READERS }, reader));
  return took;
}

const connectionsOf = async (world: World): Promise<number> =>
  (
    await world.sql(
      `select count(*)::int as n from pg_stat_activity where starts_with(datname, current_database() || '_')`,
    )
  )[0].n;

const newTenants = (count: number): Reader[] =>
  Array.from({ length: count }, () => ({ tenantId: randomUUID(), ticketId: randomUUID() }));

/** Makes tenants of the shared database, each like northwind as far as a read of one ticket goes. */
async function makeShared({ databaseUrl, sql }: World, count: number): Promise<Reader[]> {
  const tenants = newTenants(count);
  await withClient(databaseUrl, async (client) => {
    const ticket = await northwindsTicket(sql);
    for (const tenant of tenants) await lay(client, tenant, ticket);
  });
  await makeKnown(databaseUrl, tenants, () => undefined);
  return tenants;
}

/** Makes tenants of which each has a home. */
async function makeDedicated(world: World, count: number): Promise<Reader[]> {
  const { config, databaseUrl, sql } = world;
  await createHome(config, PATTERN);
  await migrateHome(config, PATTERN, migrate);
  const tenants = newTenants(count);
  const ticket = await northwindsTicket(sql);
  for (const [i, tenant] of tenants.entries()) {
    const home = homeOf(i);
    const nameOf = (name: string) => new URL(homeUrl(config, name)).pathname.slice(1);
    await sql(`create database ${nameOf(home)} template ${nameOf(PATTERN)} strategy file_copy`);
    await withClient(homeUrl({ DATABASE_URL: databaseUrl, HOME_URLS: [] }, home), async (client) => {
      await client.query('update kernel.home set name = $1', [home]);
      await lay(client, tenant, ticket);
      await client.query(`insert into kernel.residence (tenant_id, state) values ($1, 'HERE')`, [tenant.tenantId]);
    });
  }
  await makeKnown(databaseUrl, tenants, homeOf);
  return tenants;
}

const homeOf = (i: number) => `home_${i}`;

const northwindsTicket = async (sql: World['sql']): Promise<object> =>
  (await sql('select to_jsonb(t) as ticket from tickets.ticket t where tenant_id = $1 limit 1', [NORTHWIND]))[0].ticket;

/** Lays a ticket like another down in a tenant, whose id is its subject. */
async function lay(client: pg.Client, { tenantId, ticketId }: Reader, like: object): Promise<void> {
  await client.query('set session_replication_role = replica'); // what it points at is not read
  const { rows } = await client.query(
    `select string_agg(quote_ident(attname), ', ') as columns from pg_attribute
      where attrelid = 'tickets.ticket'::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
  );
  const { columns } = rows[0];
  const made = { ...like, tenant_id: tenantId, id: ticketId, subject: tenantId };
  await client.query(
    `insert into tickets.ticket (${columns}) select ${columns} from jsonb_populate_record(null::tickets.ticket, $1)`,
    [made],
  );
}

/** Tells the control plane of tenants, and where they live. */
async function makeKnown(
  databaseUrl: string,
  tenants: readonly Reader[],
  home: (i: number) => string | undefined,
): Promise<void> {
  await withClient(databaseUrl, async (client) => {
    await client.query('set session_replication_role = replica');
    for (const [i, { tenantId }] of tenants.entries()) {
      await client.query(
        `insert into kernel.tenant_profile select one.* from kernel.tenant_profile p,
                lateral jsonb_populate_record(p, jsonb_build_object('tenant_id', $1::text, 'slug', 'bench-' || left($1::text, 8))) one
          where p.tenant_id = $2`,
        [tenantId, NORTHWIND],
      );
      await client.query('insert into kernel.placement (tenant_id, version, home) values ($1, 1, $2)', [
        tenantId,
        home(i) ?? '',
      ]);
    }
  });
}

function judge(took: Record<'shared' | 'dedicated', number[][]>, count: number, connections: number): Result[] {
  const p99 = (rounds: number[][]) => median(rounds.map((ms) => percentile(ms, 0.99)));
  const told = (rounds: number[][]) =>
    `p50 ${median(rounds.map(median)).toFixed(2)}, p99 ${p99(rounds).toFixed(2)} ms, ${(rounds.flat().length / ((ROUNDS * ROUND_MS) / 1_000)).toFixed(0)}/s`;
  const ratio = p99(took.dedicated) / p99(took.shared);
  return [
    {
      what: `p99 of a point read, ${count} tenants with a database each against ${count} that share one`,
      figure: `${ratio.toFixed(2)} × (${told(took.dedicated)} against ${told(took.shared)})`,
      bound: `≤ ${MAX_RATIO} ×`,
      holds: ratio <= MAX_RATIO,
    },
    {
      what: 'connections held at homes, and memory of the process',
      figure: `${connections}, ${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB`,
      bound: 'reported',
      holds: true,
    },
  ];
}
