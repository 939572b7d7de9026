import { openGatewayWorld } from '../tests/setup/gateway.ts';
import type { World } from '../tests/setup/world.ts';
import type { Result } from './setup.ts';

const SUBGRAPHS = ['billing', 'network', 'crm', 'tickets'];
/** What every operation sends besides: its transaction, and who it is for; and the first one of a tenant, where that lives. */
const FRAME = /^(begin|start transaction|commit|rollback)|kernel\.(enter|placement_of)/i;

/** What the subgraphs send to PostgreSQL while something runs. */
async function sentWhile(world: World, run: () => Promise<void>, subgraphs = SUBGRAPHS): Promise<string[]> {
  const [first, ...rest] = subgraphs;
  if (!first) {
    await run();
    return [];
  }
  let inner: string[] = [];
  const sent = await world.statementsOf(first, async () => {
    inner = await sentWhile(world, run, rest);
  });
  return [...sent.filter((statement) => !FRAME.test(statement.trim())), ...inner];
}

const LIST = (first: number) =>
  `{ customers(first: ${first}) { nodes { name balance { amountMinor } services(first: 3) { nodes { number plan { code } } } openTicketCount contacts { displayName } } } }`;

/** Statements for a list of N customers with their relations in four subgraphs: the same number whatever N. */
export async function statements(): Promise<Result[]> {
  const { world, client, password, close } = await openGatewayWorld();
  try {
    const ingrid = await client.signIn('ingrid@northwind.example', password);
    const counts: number[] = [];
    for (const first of [1, 10, 100]) {
      const sent = await sentWhile(world, async () => {
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
        bound: `1 to ${1 + relations} each`,
        holds: counts.every((count) => count > 0 && count <= 1 + relations),
      },
    ];
  } finally {
    await close();
  }
}
