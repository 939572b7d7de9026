import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { World } from '../../tests/setup/world.ts';
import type { Draw } from '../fuzz.inputs.ts';

const EVERY_MS = 40;
const HELD_MS = 150;
/** Connections of the services' pools. */
const POOLED = `datname = current_database() and (application_name like 'svc\\_%' or application_name = 'dotmac_platform')`;
const AT_RANDOM = 'order by random() limit 1';

/** What was done to the services, and how often. */
export interface Troubles {
  cancelled: number;
  killed: number;
  held: number;
  /** Looks at what is left on connections between operations, and those that found a tenant. */
  probes: number;
  stuck: string[];
}

/**
 * Makes trouble in the database until it is told to stop: statements are cancelled, connections killed, tables held until
 * deadlines have passed; and looks meanwhile whether a connection that nobody uses still knows a tenant.
 */
export async function trouble(world: World, draw: Draw, isOver: () => boolean): Promise<Troubles> {
  const done: Troubles = { cancelled: 0, killed: 0, held: 0, probes: 0, stuck: [] };
  const client = new pg.Client({ connectionString: world.databaseUrl });
  await client.connect();
  const { rows: tables } = await client.query(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'tenant_wall') and n.nspname <> 'kernel' order by 1`,
  );
  try {
    while (!isOver()) {
      const turn = draw.below(20);
      if (turn < 8) {
        const { rowCount } = await client.query(
          `select pg_cancel_backend(pid) from pg_stat_activity where ${POOLED} and state <> 'idle' ${AT_RANDOM}`,
        );
        done.cancelled += Number(rowCount);
      } else if (turn === 8) {
        const { rowCount } = await client.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where ${POOLED} ${AT_RANDOM}`,
        );
        done.killed += Number(rowCount);
      } else if (turn === 9) {
        await holdTable(client, draw.oneOf(tables).name, done);
      } else await probe(world, done);
      await sleep(EVERY_MS);
    }
  } finally {
    await client.end();
  }
  return done;
}

/** Nobody can read a table for a while; whoever gives up on it in the middle leaves a connection behind. */
async function holdTable(client: pg.Client, table: string, done: Troubles): Promise<void> {
  await client.query(`begin; set local lock_timeout = '100ms'`);
  try {
    await client.query(`lock table ${table} in access exclusive mode`);
    await sleep(HELD_MS);
    done.held++;
  } catch (error) {
    if ((error as pg.DatabaseError).code !== '55P03' && (error as pg.DatabaseError).code !== '40P01') throw error;
  } finally {
    await client.query('rollback');
  }
}

/** Asks the wall itself, on connections as they come out of each pool and outside any operation, whom they are of. */
export async function probe(world: World, done: Troubles, atOnce = 1): Promise<void> {
  for (const { name, machinery } of world.serving.subgraphs)
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        try {
          await machinery.db.fork().execute('select kernel.tenant_id(), pg_sleep(0.02)');
          done.stuck.push(`a connection of ${name} still knew a tenant`);
        } catch (error) {
          if ((error as pg.DatabaseError).code === 'TN001') done.probes++; // else no connection was free, or it was killed
        }
      }),
    );
}
