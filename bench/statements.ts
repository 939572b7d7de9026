import pg from 'pg';
import { openGatewayWorld } from '../tests/setup/gateway.ts';
import type { Result } from './setup.ts';

/** Counts what PostgreSQL is sent while something runs. */
export async function countStatements(run: () => Promise<unknown>): Promise<string[]> {
  const sent: string[] = [];
  const original = pg.Client.prototype.query;
  pg.Client.prototype.query = function counted(this: pg.Client, ...args: unknown[]) {
    const [query] = args;
    sent.push(typeof query === 'string' ? query : ((query as { text?: string })?.text ?? ''));
    return (original as (...all: unknown[]) => unknown).apply(this, args);
  } as never;
  try {
    await run();
  } finally {
    pg.Client.prototype.query = original;
  }
  return sent.filter(
    (text) =>
      !/^(begin|start transaction|commit|rollback|listen|savepoint|release)|kernel\.(enter|feed|gateway)|gateway_node|feed_head|graphile_worker/i.test(
        text.trim(),
      ),
  );
}

const LIST = (first: number) =>
  `{ customers(first: ${first}) { nodes { name balance { amountMinor } services(first: 3) { nodes { number plan { code } } } openTicketCount contacts { displayName } } } }`;

/** Statements for a list of N customers with their relations in four subgraphs: the same number whatever N. */
export async function statements(): Promise<Result[]> {
  const { client, password, close } = await openGatewayWorld();
  try {
    const ingrid = await client.signIn('ingrid@northwind.example', password);
    await ingrid.ask(LIST(1));
    const counts: number[] = [];
    for (const first of [1, 10, 100]) {
      const sent = await countStatements(async () => {
        const { errors } = await ingrid.ask(LIST(first));
        if (errors) throw new Error(JSON.stringify(errors));
      });
      counts.push(sent.length);
    }
    const relations = 5; // balance, services, plan, openTicketCount, contacts
    return [
      {
        what: 'statements for 1, 10, 100 customers with 5 relations in 4 subgraphs',
        figure: counts.join(', '),
        bound: `≤ ${1 + relations} each`,
        holds: counts.every((count) => count > 0 && count <= 1 + relations),
      },
    ];
  } finally {
    await close();
  }
}
