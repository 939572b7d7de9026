import { randomUUID } from 'node:crypto';
import { seedId } from '../../../subgraphs/_kernel/seed-world.ts';
import * as desk from '../../../subgraphs/tickets/desk/ticket.service.ts';
import { type Asker, openWorld, SAMIRA, type World } from '../../setup/world.ts';

const LENA: Asker = { tenant: 'northwind', user: '6031', customerId: seedId('7031') };
const MARA: Asker = { tenant: 'northwind', user: '6032', customerId: seedId('7032') };
const MARA_OF_ATLAS: Asker = { tenant: 'atlas', user: '6079', customerId: seedId('7079') };

interface Shown {
  id: string;
  number: string;
  status: string;
  updatedAt: string;
  canReply: boolean;
  messages: { nodes: { author: string; bodyText: string }[] };
}

const TICKET =
  'id number subject status updatedAt canReply messages { nodes { author bodyText } pageInfo { hasNextPage endCursor } }';

describe('a customer’s portal', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world?.close());

  const ask = async (who: Asker, query: string, variables: Record<string, unknown> = {}) => {
    const { data, errors } = await world.ask(who, 'tickets', query, variables);
    return { data: data as Record<string, unknown>, codes: errors?.map(({ extensions }) => extensions?.code) };
  };
  const mine = async (who: Asker): Promise<Shown[]> =>
    ((await ask(who, `{ myTickets { nodes { ${TICKET} } } }`)).data.myTickets as { nodes: Shown[] }).nodes;
  const change = async (who: Asker, door: string, input: Record<string, unknown>) => {
    const type = `${door[0]?.toUpperCase()}${door.slice(1)}Input`;
    const answer = await ask(
      who,
      `mutation($input: ${type}!) { ${door}(input: $input) { ticket { ${TICKET} } userErrors { code message } } }`,
      {
        input: { idempotencyKey: randomUUID(), ...input },
      },
    );
    return answer.data[door] as { ticket: Shown; userErrors: { code: string; message: string }[] };
  };
  const staffView = async (ticketId: string) => {
    const { data } = await ask(
      SAMIRA,
      'query($id: ID) { ticket(id: $id) { version status followUpOf { id } messages { nodes { visibility } } } }',
      { id: ticketId },
    );
    return data.ticket as {
      version: number;
      status: string;
      followUpOf: { id: string } | null;
      messages: { nodes: { visibility: string }[] };
    };
  };
  const asSamira = () => world.context(SAMIRA, 'tickets');

  test('Lena reads her ticket and what was said to her, and no internal note', async () => {
    const [ticket, ...others] = await mine(LENA);
    expect(others).toEqual([]);
    expect(ticket?.messages.nodes.map(({ author }) => author)).toEqual(['CUSTOMER', 'STAFF', 'CUSTOMER']);
    expect(JSON.stringify(ticket)).not.toContain('CANARY-NORTHWIND-INTERNAL');
    expect(
      (await staffView(String(ticket?.id))).messages.nodes.filter(({ visibility }) => visibility === 'INTERNAL'),
    ).toHaveLength(2);
  });

  test('the database itself hides notes, history, tags and other customers from her', async () => {
    const lena = await world.context(LENA, 'tickets');
    const em = await lena.em();
    const [counted] = await em.execute(
      `select (select count(*)::int from tickets.ticket) as tickets, (select count(*)::int from tickets.ticket_message) as messages,
              (select count(*)::int from tickets.ticket_message where visibility = 'INTERNAL' or body_text like '%INTERNAL%') as notes,
              (select count(*)::int from tickets.ticket_event) as events, (select count(*)::int from tickets.ticket_tag) as tags`,
    );
    await lena.end();
    expect(counted).toEqual({ tickets: 1, messages: 3, notes: 0, events: 0, tags: 0 });
  });

  test('the database takes nothing from her in another customer’s ticket', async () => {
    const [foreign] = await mine(MARA);
    const lena = await world.context(LENA, 'tickets');
    const write = lena.tx((em) =>
      em.execute(
        `insert into tickets.ticket_message (id, ticket_id, seq, visibility, author, body_text, channel, created_at)
         values (?, ?, 99, 'PUBLIC', 'CUSTOMER', 'x', 'PORTAL', now())`,
        [randomUUID(), foreign?.id],
      ),
    );
    await expect(write).rejects.toThrow('row-level security');
    const note = lena.tx((em) =>
      em.execute("insert into tickets.ticket_event (ticket_id, seq, at, kind) values (?, 99, now(), 'OPENED')", [
        foreign?.id,
      ]),
    );
    await expect(note).rejects.toThrow('row-level security');
  });

  test('a note changes nothing she sees, not even the time', async () => {
    const [before] = await mine(LENA);
    await desk.postMessage(await asSamira(), {
      ticketId: String(before?.id),
      visibility: 'INTERNAL',
      bodyText: 'She is nice.',
      idempotencyKey: randomUUID(),
    });
    expect((await mine(LENA))[0]).toEqual(before);
  });

  test('another customer’s ticket, another tenant’s and one that never was look the same', async () => {
    const foreign = [(await mine(MARA))[0]?.id, (await mine(MARA_OF_ATLAS))[0]?.id, randomUUID(), 'no id at all'];
    for (const ticketId of foreign) {
      expect(typeof ticketId).toBe('string');
      expect(await ask(LENA, 'query($id: ID!) { myTicket(id: $id) { id } }', { id: ticketId })).toEqual({
        data: { myTicket: null },
      });
      for (const [door, rest] of [
        ['replyToMyTicket', { bodyText: 'x' }],
        ['closeMyTicket', {}],
      ] as const)
        expect(await change(LENA, door, { ticketId, ...rest })).toEqual({
          ticket: null,
          userErrors: [{ code: 'NOT_FOUND', message: 'There is no such ticket.' }],
        });
    }
  });

  test('staff doors are closed to her, the portal to staff', async () => {
    for (const query of ['{ tickets { nodes { id } } }', '{ ticket(number: "T-000001") { id } }'])
      expect((await ask(LENA, query)).codes).toEqual(['FORBIDDEN']);
    expect((await ask(SAMIRA, '{ myTickets { nodes { id } } }')).codes).toEqual(['FORBIDDEN']);
    const [{ id }] = (await mine(LENA)) as [Shown];
    const entities = await ask(
      LENA,
      'query($r: [_Any!]!) { _entities(representations: $r) { ... on Ticket { messages { nodes { bodyText } } } } }',
      { r: [{ __typename: 'Ticket', id }] },
    );
    expect(entities.data).toEqual({ _entities: [null] });
  });

  test('her word takes up a ticket that waits for her or was resolved', async () => {
    const { ticket } = await change(MARA, 'openMyTicket', { subject: 'Light blinks', bodyText: 'Red.' });
    expect(ticket).toMatchObject({ status: 'OPEN', canReply: true });
    const samira = await asSamira();
    await desk.waitTicket(samira, { ticketId: ticket.id, expectedVersion: 1, reason: 'CUSTOMER' });
    expect((await mine(MARA))[0]?.status).toBe('WAITING_FOR_YOU');
    expect((await change(MARA, 'replyToMyTicket', { ticketId: ticket.id, bodyText: 'Still red.' })).ticket.status).toBe(
      'OPEN',
    );
    const { version } = await staffView(ticket.id);
    await desk.resolveTicket(samira, { ticketId: ticket.id, expectedVersion: version });
    expect((await change(MARA, 'replyToMyTicket', { ticketId: ticket.id, bodyText: 'Red again.' })).ticket.status).toBe(
      'OPEN',
    );
  });

  test('what she waits for beside herself is our business: it shows as OPEN', async () => {
    const { ticket } = await change(MARA, 'openMyTicket', { subject: 'New socket', bodyText: 'Please.' });
    await desk.waitTicket(await asSamira(), { ticketId: ticket.id, expectedVersion: 1, reason: 'VENDOR' });
    const statuses = async (status: string) =>
      (
        (await ask(MARA, `{ myTickets(status: ${status}) { nodes { id } } }`)).data.myTickets as {
          nodes: { id: string }[];
        }
      ).nodes.map(({ id }) => id);
    expect(await statuses('OPEN')).toContain(ticket.id);
    expect(await statuses('WAITING_FOR_YOU')).not.toContain(ticket.id);
  });

  test('closing says solved, closing again says content, and a later word opens the next ticket', async () => {
    const { ticket } = await change(MARA, 'openMyTicket', { subject: 'Which router?', bodyText: 'Mine is old.' });
    expect((await change(MARA, 'closeMyTicket', { ticketId: ticket.id })).ticket.status).toBe('RESOLVED');
    expect((await change(MARA, 'closeMyTicket', { ticketId: ticket.id })).ticket.status).toBe('CLOSED');
    expect((await change(MARA, 'closeMyTicket', { ticketId: ticket.id })).userErrors).toMatchObject([
      { code: 'INVALID_STATE' },
    ]);
    const { ticket: next } = await change(MARA, 'replyToMyTicket', {
      ticketId: ticket.id,
      bodyText: 'One more thing.',
    });
    expect(next).toMatchObject({ status: 'OPEN', messages: { nodes: [{ bodyText: 'One more thing.' }] } });
    expect(next.id).not.toBe(ticket.id);
    expect((await staffView(next.id)).followUpOf).toEqual({ id: ticket.id });
  });

  test('the same press of the button opens one ticket and posts one word', async () => {
    const opening = { subject: 'Twice?', bodyText: 'No.', idempotencyKey: randomUUID() };
    const [a, b] = [await change(MARA, 'openMyTicket', opening), await change(MARA, 'openMyTicket', opening)];
    expect(a.ticket.id).toBe(b.ticket.id);
    const word = { ticketId: a.ticket.id, bodyText: 'Once.', idempotencyKey: randomUUID() };
    await change(MARA, 'replyToMyTicket', word);
    expect((await change(MARA, 'replyToMyTicket', word)).ticket.messages.nodes.map(({ bodyText }) => bodyText)).toEqual(
      ['No.', 'Once.'],
    );
  });

  test('messages come in pages that tell nothing of the notes between them', async () => {
    const [{ id }] = (await mine(LENA)) as [Shown];
    const page = async (after: string | null) => {
      const { data } = await ask(
        LENA,
        'query($id: ID!, $after: String) { myTicket(id: $id) { messages(first: 1, after: $after) { nodes { id bodyText } pageInfo { hasNextPage endCursor } } } }',
        { id, after },
      );
      return (
        data.myTicket as {
          messages: {
            nodes: { id: string; bodyText: string }[];
            pageInfo: { hasNextPage: boolean; endCursor: string };
          };
        }
      ).messages;
    };
    const met: string[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const { nodes, pageInfo } = await page(after);
      met.push(...nodes.map(({ bodyText }) => bodyText));
      expect(Buffer.from(pageInfo.endCursor, 'base64url').toString()).toBe(JSON.stringify([nodes[0]?.id]));
      [after, more] = [pageInfo.endCursor, pageInfo.hasNextPage];
    }
    expect(met).toHaveLength(3);
  });

  test('whatever the licence says she reads; she writes only where tickets are licensed', async () => {
    const elsewhere: Asker = { tenant: 'oldtown', customerId: randomUUID() };
    expect(await ask(elsewhere, '{ myTickets { nodes { id } } }')).toEqual({ data: { myTickets: { nodes: [] } } });
    const opened = await ask(
      elsewhere,
      'mutation { openMyTicket(input: { subject: "a", bodyText: "b", idempotencyKey: "c" }) { userErrors { code } } }',
    );
    expect(opened).toEqual({ data: { openMyTicket: null }, codes: ['FEATURE_NOT_LICENSED'] });
  });
});
