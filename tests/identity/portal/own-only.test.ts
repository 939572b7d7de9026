import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type GraphQLSchema, isObjectType, isUnionType } from 'graphql';
import pg from 'pg';
import { seedId } from '../../../subgraphs/_kernel/seed-world.ts';
import { Customer } from '../../../subgraphs/billing/accounts/customer.entity.ts';
import { bill } from '../../../subgraphs/billing/invoicing/license-billing.service.ts';
import { pricedLines } from '../../../subgraphs/billing/rating/license-line.rules.ts';
import { hasId, operationFor, selectionOf } from '../../setup/door-operation.ts';
import { type GatewayClient, openGatewayWorld, type Person } from '../../setup/gateway.ts';
import type { Asker } from '../../setup/world.ts';
import { tenantId } from '../trial.ts';

const LENA = { customer: seedId('7031'), user: seedId('6031') };
const MARA = { customer: seedId('7032'), user: seedId('6032') };
const AS_MARA: Asker = { tenant: 'northwind', user: '6032', roles: ['customer'], customerId: MARA.customer };
/** What is about Lena and nobody else, whatever its id. */
const NAMED = ['Lena Spaet', 'lena@northwind.example'];
/** They would end the trial, not test it. */
const ENDINGS = /^(signOut|refreshSession|endOtherSessions|eraseMyAccount)$/;

let running: Awaited<ReturnType<typeof openGatewayWorld>>;
let client: GatewayClient;
let mara: Person;
let admin: pg.Client;
/** Ids of rows by table: of Lena, and of Mara. */
let lenas: Map<string, string[]>;
let maras: Map<string, string[]>;

beforeAll(async () => {
  running = await openGatewayWorld();
  client = running.client;
  await running.world.untilNoJobs();
  mara = await client.signIn('mara@northwind.example', running.password, { realm: 'northwind' });
  admin = new pg.Client({ connectionString: running.world.databaseUrl });
  await admin.connect();
  for (const { customer } of [LENA, MARA]) await invoice(customer);
  const all = [await thingsOf([LENA.customer, LENA.user]), await thingsOf([MARA.customer, MARA.user])];
  const [hers, own] = all as [Map<string, string[]>, Map<string, string[]>];
  lenas = without(hers, own);
  maras = without(own, hers);
}, 120_000);
afterAll(async () => {
  await admin?.end();
  await running?.close();
});

async function invoice(customerId: string): Promise<void> {
  const ctx = await running.world.system('northwind', 'billing');
  const [periodStart, periodEnd] = ['2026-10-01T00:00:00Z', '2026-11-01T00:00:00Z'];
  const told = [{ key: 'fibre', amountMinor: '4748', currency: 'EUR', periodStart, periodEnd }];
  await ctx.tx(async (em) =>
    bill(ctx, em, await em.findOneOrFail(Customer, { id: customerId }), {
      ...{ key: `own-only:${customerId}`, askedSeq: 0, terms: 'BY_TERMS', references: [] },
      lines: pricedLines(customerId, told),
    }),
  );
}

/** All rows of northwind that name one of these ids, those that name them, and so on. */
async function thingsOf(roots: string[]): Promise<Map<string, string[]>> {
  const { rows: columns } = await admin.query(
    `select n.nspname as schema, c.relname as table, array_agg(a.attname::text) as names
       from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
      where a.atttypid = 'uuid'::regtype and a.attname not in ('id', 'tenant_id') and n.nspname <> 'kernel'
        and exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'tenant_wall')
        and exists (select from pg_attribute i where i.attrelid = c.oid and i.attname = 'id' and i.atttypid = 'uuid'::regtype)
      group by 1, 2 order by 1, 2`,
  );
  const found = new Map<string, string[]>([['billing.customer', roots.slice(0, 1)]]);
  for (let known = 0; known !== [...found.values()].flat().length; ) {
    const ids = [...new Set([...roots, ...[...found.values()].flat()])];
    known = [...found.values()].flat().length;
    for (const { schema, table, names } of columns) {
      const name = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`;
      const refers = String(names)
        .replace(/[{}]/g, '')
        .split(',')
        .map((column) => `${pg.escapeIdentifier(column)} = any($2::uuid[])`);
      const { rows } = await admin.query(
        `select id::text from ${name} where tenant_id = $1 and (${refers.join(' or ')}) order by id`,
        [tenantId('northwind'), ids],
      );
      if (rows.length > 0)
        found.set(
          `${schema}.${table}`,
          rows.map(({ id }) => id),
        );
    }
  }
  return found;
}

const without = (things: Map<string, string[]>, others: Map<string, string[]>) =>
  new Map(
    [...things].flatMap(([table, ids]) => {
      const left = ids.filter((id) => !others.get(table)?.includes(id));
      return left.length > 0 ? [[table, left] as const] : [];
    }),
  );

/** One of each kind. */
const oneOfEach = (things: Map<string, string[]>) => [...things.values()].map(([id]) => String(id));

const leakIn = (text: string, asked = ''): string | undefined =>
  [...NAMED, LENA.user, ...[...lenas.values()].flat()].find((secret) => secret !== asked && text.includes(secret));

/** An answer as it is told, whatever was asked for. */
const plain = ({ data, errors }: { data?: unknown; errors?: readonly { message: string; extensions?: unknown }[] }) =>
  JSON.stringify({
    data: data ?? null,
    errors: errors?.map(({ message, extensions }) => [message, (extensions as { code?: string })?.code]) ?? [],
  }).replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID');

/** A fingerprint of what is Lena's. */
async function fingerprint(): Promise<string[]> {
  const parts: string[] = [];
  for (const [name, ids] of lenas) {
    const { rows } = await admin.query(
      `select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) as hash from ${name} t where id = any($1::uuid[])`,
      [ids],
    );
    parts.push(`${name} ${rows[0].hash}`);
  }
  return parts;
}

describe('A portal customer sees their own and nobody else’s', () => {
  const DEEP = `query($ticket: ID!, $invoice: ID!, $customer: ID!) {
    ticket(id: $ticket) { id customer { id invoices(first: 5) { nodes { id } } } }
    invoice(id: $invoice) { id number }
    customer(id: $customer) { id name invoices(first: 5) { nodes { id number } } }
    myTicket(id: $ticket) { id subject }
  }`;
  const ask = async (who: Person, things: Map<string, string[]>, customer: string) => {
    const idIn = (table: string) => things.get(table)?.[0] ?? randomUUID();
    const variables = { ticket: idIn('tickets.ticket'), invoice: idIn('billing.invoice'), customer };
    return who.ask<Record<string, object | null>, object>(DEEP, variables);
  };

  test('by id, and from a ticket to its customer to their invoices', async () => {
    expect([lenas.has('tickets.ticket'), lenas.has('billing.invoice'), maras.has('billing.invoice')]).toEqual([
      ...[true, true, true],
    ]);
    const foreign = await ask(mara, lenas, LENA.customer);
    expect(foreign.data).toEqual({ ticket: null, invoice: null, customer: null, myTicket: null });
    expect(plain(foreign)).toBe(plain(await ask(mara, new Map(), randomUUID())));
    const own = await ask(mara, maras, MARA.customer);
    expect(own.data).toMatchObject({
      invoice: { id: maras.get('billing.invoice')?.[0] },
      customer: {
        id: MARA.customer,
        name: 'Mara Lind',
        invoices: { nodes: expect.arrayContaining([expect.anything()]) },
      },
    });
    const samira = await client.signIn('samira@northwind.example', running.password);
    const staff = await ask(samira, lenas, LENA.customer);
    expect(staff.data).toMatchObject({
      ticket: { customer: { id: LENA.customer } },
      invoice: { id: expect.any(String) },
    });
  });

  test('at every door, whose answer and payload are those of an id that never was, and nothing of another changes', async () => {
    const { schema } = running.gateway.graph.supergraph;
    const before = await fingerprint();
    const ids = [...oneOfEach(lenas), LENA.user];
    expect(ids.length).toBeGreaterThan(8);
    let [doors, requests] = [0, 0];
    for (const root of [schema.getQueryType(), schema.getMutationType()])
      for (const field of Object.values(root?.getFields() ?? {})) {
        if (ENDINGS.test(field.name) || !hasId(field.args)) continue;
        const kind = root === schema.getMutationType() ? 'mutation' : 'query';
        doors += 1;
        const never = plain(await mara.ask(operationFor(kind, field, randomUUID())));
        for (const id of never.includes('FORBIDDEN') ? ids.slice(0, 1) : ids) {
          const answer = await mara.ask(operationFor(kind, field, id));
          requests += 1;
          expect([field.name, plain(answer)]).toEqual([field.name, never]);
          expect([field.name, leakIn(JSON.stringify(answer.data ?? null), id)]).toEqual([field.name, undefined]);
        }
      }
    expect(await fingerprint()).toEqual(before);
    expect([doors > 120, requests > 250]).toEqual([true, true]);
  }, 240_000);

  test('from whatever is their own, however deep it is asked', async () => {
    const { schema } = running.gateway.graph.supergraph;
    let seen = '';
    for (const field of Object.values(schema.getQueryType()?.getFields() ?? {}))
      for (const id of hasId(field.args) ? [...oneOfEach(maras), MARA.user] : [randomUUID()]) {
        const { data, errors } = await mara.ask(operationFor('query', field, id, 5));
        const text = JSON.stringify(data ?? null);
        expect([field.name, leakIn(text)]).toEqual([field.name, undefined]);
        seen += text;
        if (errors?.some(({ path, extensions }) => path?.length === 1 && extensions.code === 'FORBIDDEN')) break;
      }
    const wanted = ['Mara Lind', ...['billing.invoice', 'network.service'].flatMap((table) => maras.get(table) ?? '-')];
    expect(wanted.filter((text) => !seen.includes(text))).toEqual([]);
  }, 120_000);

  test('by reference at every subgraph, one whose id they know and one that never was alike', async () => {
    let types = 0;
    let isOwnSeen = false;
    for (const { name, subgraph } of running.world.serving.subgraphs)
      for (const { type, query } of entitiesOf(subgraph.schema)) {
        types += 1;
        const told = async (id: string) => {
          const answer = await running.world.ask(AS_MARA, name, query, { r: [{ __typename: type, id }] });
          return { text: JSON.stringify(answer.data ?? null), plain: plain(answer) };
        };
        const never = (await told(randomUUID())).plain;
        for (const id of [...oneOfEach(lenas), LENA.user]) {
          const hers = await told(id);
          expect([name, type, hers.plain]).toEqual([name, type, never]);
          expect([name, type, leakIn(hers.text, id)]).toEqual([name, type, undefined]);
        }
        isOwnSeen ||= (await told(MARA.customer)).text.includes('Mara Lind');
      }
    expect(types).toBeGreaterThan(10);
    expect(isOwnSeen).toBe(true);
  }, 120_000);

  test('in every stream, whatever happens to another', async () => {
    const fields = Object.values(running.gateway.graph.supergraph.schema.getSubscriptionType()?.getFields() ?? {});
    const heard: string[] = [];
    const streams = fields.map((field) => {
      const stream = mara.follow<object, object>(operationFor('subscription', field, LENA.customer));
      const listen = async () => {
        for (;;) heard.push(JSON.stringify([field.name, await stream.next()]));
      };
      void listen().catch(() => undefined);
      return stream;
    });
    await sleep(500);
    const ingrid = await client.signIn('ingrid@northwind.example', running.password);
    const act = async (door: string, type: string, input: object) => {
      const { data, errors } = await ingrid.ask<Record<string, { userErrors: object[] }>, object>(
        `mutation($input: ${type}!) { ${door}(input: $input) { userErrors { code message } } }`,
        { input },
      );
      expect([door, errors, data?.[door]?.userErrors]).toEqual([door, undefined, []]);
    };
    await act('openTicket', 'OpenTicketInput', {
      ...{ subject: 'Lena Spaet asks', bodyText: 'About her line.', kind: 'QUESTION', channel: 'PHONE' },
      ...{ requester: { customerId: LENA.customer }, idempotencyKey: randomUUID() },
    });
    await act('createContact', 'CreateContactInput', { displayName: 'Lena Spaet' });
    await act('givePortalAccess', 'PortalAccessInput', {
      ...{ customerId: LENA.customer, email: 'another@example.net', displayName: 'Lena Spaet' },
    });
    await client.signIn('lena@northwind.example', running.password, { realm: 'northwind' });
    await sleep(1_000);
    await Promise.all(streams.map((stream) => stream.stop()));
    expect(heard.map((text) => leakIn(text)).filter(Boolean)).toEqual([]);
  }, 60_000);
});

/** How to ask for each entity of a subgraph by its id, with all that can be asked of it. */
function entitiesOf(schema: GraphQLSchema): { type: string; query: string }[] {
  const union = schema.getType('_Entity');
  if (!isUnionType(union)) return [];
  return union
    .getTypes()
    .filter(isObjectType)
    .map((type) => ({
      type: type.name,
      query: `query($r: [_Any!]!) { _entities(representations: $r) { __typename ... on ${type.name} ${selectionOf(type, 4)} } }`,
    }));
}
