import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { homeUrl } from '../subgraphs/_kernel/homes.ts';
import { SEED_TENANTS, seedId } from '../subgraphs/_kernel/seed-world.ts';
import { withClient } from '../tests/setup/database.ts';
import { openGatewayWorld, type Person } from '../tests/setup/gateway.ts';
import type { Result } from './setup.ts';

/** Rows of the tenant that moves, and who writes in it meanwhile. */
const ROWS = 1_000_000;
const WRITERS = 2;
const NORTHWIND = seedId(SEED_TENANTS.northwind);

/** Rows as an import leaves them: with their history in the ticket, and no audit of each. */
const FILL = `
  set session_replication_role = replica;
  insert into tickets.ticket_message (tenant_id, id, ticket_id, seq, visibility, author, author_id, body_text, channel, created_at)
  select tenant_id, uuidv7(), ticket_id, 1000 + n, visibility, author, author_id, body_text, channel, now()
    from (select * from tickets.ticket_message where tenant_id = '${NORTHWIND}' limit 1) m, generate_series(1, ${ROWS}) n`;

interface Created {
  createContact: { contact: { id: string } | null } | null;
}

/** A tenant of a million rows moves to a database of its own while it is written and read through the gateway. */
export async function moving(): Promise<Result[]> {
  const { world, client, password, close } = await openGatewayWorld();
  try {
    await withClient(world.databaseUrl, (superuser) => superuser.query(FILL));
    const ingrid = await client.signIn('ingrid@northwind.example', password);
    const ngozi = await client.signIn('ngozi@platform.example', password);
    let isOver = false;
    const written: string[] = [];
    let longestMs = 0;
    let at = performance.now();
    const write = async (person: Person, by: number) => {
      for (let i = 0; !isOver; i += 1) {
        const displayName = `Bench ${by} ${i}`;
        const { data } = await person.ask<Created, object>(
          'mutation($input: CreateContactInput!) { createContact(input: $input) { contact { id } } }',
          { input: { displayName, points: [] } },
        );
        if (!data?.createContact?.contact) {
          await sleep(20);
          continue;
        }
        longestMs = Math.max(longestMs, performance.now() - at);
        at = performance.now();
        written.push(displayName);
      }
    };
    let badReads = 0;
    const read = async () => {
      for (; !isOver; await sleep(20))
        if ((await ingrid.ask('{ tickets(first: 5) { nodes { id } } }')).errors) badReads += 1;
    };
    const load = Promise.all([...Array.from({ length: WRITERS }, (_, by) => write(ingrid, by)), read()]);
    const startedAt = performance.now();
    const { data } = await ngozi.ask<{ moveTenant: { move: { id: string } } }, object>(
      'mutation($input: MoveTenantInput!) { moveTenant(input: $input) { move { id } } }',
      { input: { tenantId: NORTHWIND, isolation: 'DEDICATED', idempotencyKey: randomUUID() } },
    );
    const look = async () =>
      (
        await ngozi.ask<{ tenantMove: { state: string; pausedMs: number; rowsCopied: number; error: string } }, object>(
          'query($id: ID!) { tenantMove(id: $id) { state pausedMs rowsCopied error } }',
          { id: data?.moveTenant.move.id },
        )
      ).data?.tenantMove;
    let move = await look();
    for (; move?.state === 'RUNNING'; move = await look()) await sleep(200);
    const seconds = (performance.now() - startedAt) / 1_000;
    await sleep(1_000);
    isOver = true;
    await load;
    if (move?.state !== 'DONE') throw new Error(`The move was undone: ${move?.error}`);
    const [{ home }] = await world.sql('select home from kernel.placement where tenant_id = $1', [NORTHWIND]);
    const there = await withClient(homeUrl(world.config, home), async (superuser) => {
      const { rows } = await superuser.query("select display_name from crm.contact where display_name like 'Bench %'");
      return rows.map((row) => row.display_name as string);
    });
    const lost = written.filter((name) => !there.includes(name)).length;
    const doubled = there.length - new Set(there).size;
    const what = `move of ${move.rowsCopied} rows under ${WRITERS} writers and a reader`;
    return [
      { what, figure: `${seconds.toFixed(1)} s`, bound: '600 s', holds: seconds <= 600 },
      {
        what: 'its pause, and the longest time between two acknowledged writes',
        figure: `${move.pausedMs} ms, ${Math.round(longestMs)} ms`,
        bound: '60 000 ms',
        holds: move.pausedMs <= 60_000 && longestMs <= 60_000,
      },
      {
        what: `of ${written.length} acknowledged writes lost, doubled; reads failed`,
        figure: `${lost}, ${doubled}; ${badReads}`,
        bound: '0, 0; 0',
        holds: lost + doubled + badReads === 0,
      },
    ];
  } finally {
    await close();
  }
}
