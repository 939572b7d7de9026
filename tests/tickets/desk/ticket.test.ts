import { randomUUID } from 'node:crypto';
import type { Context } from '../../../subgraphs/_kernel/context.ts';
import { seedId } from '../../../subgraphs/_kernel/seed-world.ts';
import { ticketUpdates } from '../../../subgraphs/tickets/desk/ticket.changes.ts';
import type { Ticket } from '../../../subgraphs/tickets/desk/ticket.entity.ts';
import * as rules from '../../../subgraphs/tickets/desk/ticket.rules.ts';
import * as desk from '../../../subgraphs/tickets/desk/ticket.service.ts';
import { ADA, type Asker, BRUNO, EDDA, INGRID, openWorld, SAMIRA, type World, WREN } from '../../setup/world.ts';

const LENA = seedId('7031');
const ADLER = seedId('7033');
const NILS: Asker = { tenant: 'northwind', user: '6025', roles: ['sales'] };

describe('tickets', () => {
  let world: World;
  let samira: Context;
  beforeAll(async () => {
    world = await openWorld();
    samira = await world.context(SAMIRA, 'tickets');
  });
  afterAll(() => world?.close());

  const ask = (query: string, variables: Record<string, unknown> = {}, who: Asker = SAMIRA) =>
    world.ask(who, 'tickets', query, variables) as Promise<{
      data: Record<string, unknown>;
      errors?: { extensions: { code: string } }[];
    }>;
  const codes = (answer: { errors?: { extensions: { code: string } }[] }) =>
    answer.errors?.map(({ extensions }) => extensions.code);
  const open = (more: Partial<rules.TypedTicket> = {}) =>
    desk.openTicket(samira, {
      ...{
        subject: 'No light',
        bodyText: 'Since noon.',
        kind: 'INCIDENT',
        priority: 'NORMAL',
        channel: 'PHONE',
        requester: { name: 'Lena' },
      },
      ...more,
      idempotencyKey: randomUUID(),
    } as never);
  const seen = (ticket: Ticket) => ({ ticketId: ticket.id, expectedVersion: ticket.version });
  const say = (ticket: Ticket, more: Partial<desk.NewMessage> = {}) =>
    desk.postMessage(samira, {
      ticketId: ticket.id,
      visibility: 'PUBLIC',
      bodyText: 'We look.',
      idempotencyKey: randomUUID(),
      ...more,
    });
  const historyOf = async (ticket: Ticket) => {
    const { data } = await ask('query($id: ID) { ticket(id: $id) { history { nodes { seq kind from to reason } } } }', {
      id: ticket.id,
    });
    return (
      data as {
        ticket: { history: { nodes: { seq: number; kind: string; from: string; to: string; reason: string }[] } };
      }
    ).ticket.history.nodes;
  };

  const TO: Record<rules.TicketStatus, (ticket: Ticket) => Promise<Ticket>> = {
    NEW: async (ticket) => ticket,
    OPEN: (ticket) => desk.claimTicket(samira, seen(ticket)),
    WAITING: (ticket) => desk.waitTicket(samira, { ...seen(ticket), reason: 'VENDOR' }),
    RESOLVED: (ticket) => desk.resolveTicket(samira, seen(ticket)),
    CLOSED: async (ticket) => ticket,
    CANCELLED: (ticket) => desk.cancelTicket(samira, { ...seen(ticket), reason: 'MISTAKE' }),
  };
  const DOORS = {
    WAIT: (ticket: Ticket) => desk.waitTicket(samira, { ...seen(ticket), reason: 'CUSTOMER' }),
    REOPEN: (ticket: Ticket) => desk.reopenTicket(samira, seen(ticket)),
    RESOLVE: (ticket: Ticket) => desk.resolveTicket(samira, seen(ticket)),
    CANCEL: (ticket: Ticket) => desk.cancelTicket(samira, { ...seen(ticket), reason: 'SPAM' }),
  };
  const every = (Object.keys(DOORS) as (keyof typeof DOORS)[]).flatMap((move) =>
    (['NEW', 'OPEN', 'WAITING', 'RESOLVED', 'CANCELLED'] as const).map((from) => [move, from] as const),
  );

  test.each(every)('%s of a %s ticket goes as the machine says, and the history with it', async (move, from) => {
    const ticket = await TO[from](await open());
    const { version } = ticket;
    if (!rules.MOVES[move].from.includes(from))
      return void (await expect(DOORS[move](ticket)).rejects.toMatchObject({ code: 'INVALID_STATE' }));
    const moved = await DOORS[move](ticket);
    expect(moved).toMatchObject({ status: rules.MOVES[move].to, version: version + 1 });
    const history = await historyOf(ticket);
    expect(history.map(({ seq }) => seq)).toEqual(history.map((_, i) => i + 1));
    expect(history.at(-1)).toMatchObject({ kind: 'STATUS_CHANGED', from, to: rules.MOVES[move].to });
  });

  test('a ticket that comes back counts how often, and is no longer resolved', async () => {
    const resolved = await desk.resolveTicket(samira, seen(await open()));
    expect(resolved.resolvedAt).toBeInstanceOf(Date);
    const back = await desk.reopenTicket(samira, seen(resolved));
    expect(back).toMatchObject({ status: 'OPEN', reopenCount: 1, resolvedAt: null });
    const waiting = await desk.waitTicket(samira, { ...seen(back), reason: 'VENDOR' });
    expect(await desk.reopenTicket(samira, seen(waiting))).toMatchObject({
      status: 'OPEN',
      reopenCount: 1,
      waitReason: null,
    });
  });

  test('the first deed of staff takes a NEW ticket up: an answer, a note, a priority, an assignment', async () => {
    expect(await say(await open())).toMatchObject({ status: 'OPEN', version: 2 });
    expect(await say(await open(), { visibility: 'INTERNAL' })).toMatchObject({ status: 'OPEN' });
    expect(await desk.setTicketPriority(samira, { ...seen(await open()), priority: 'URGENT' })).toMatchObject({
      status: 'OPEN',
      priority: 'URGENT',
      version: 2,
    });
    expect(await desk.assignTicket(samira, { ...seen(await open()), assigneeId: seedId('6027') })).toMatchObject({
      status: 'OPEN',
      assigneeId: seedId('6027'),
      version: 2,
    });
  });

  test('what nobody has can be claimed, what someone has cannot', async () => {
    const ticket = await desk.assignTicket(samira, { ...seen(await open()), assigneeId: seedId('6027') });
    await expect(desk.claimTicket(samira, seen(ticket))).rejects.toMatchObject({
      code: 'INVALID_STATE',
      message: 'Someone else has this ticket already.',
    });
    const free = await desk.assignTicket(samira, { ...seen(ticket), assigneeId: null });
    expect((await desk.claimTicket(samira, seen(free))).assigneeId).toBe(seedId('6026'));
  });

  test('two answers never cross unseen: the second one sees the first', async () => {
    const ticket = await open();
    const { lastMessageId } = ticket;
    await say(ticket, { expectedLastMessageId: lastMessageId });
    const answer = await ask(
      `mutation($input: PostMessageInput!) { postMessage(input: $input) { userErrors { code field } ticket { messages { nodes { bodyText } } } } }`,
      {
        input: {
          ticketId: ticket.id,
          visibility: 'PUBLIC',
          bodyText: 'Me too.',
          expectedLastMessageId: lastMessageId,
          idempotencyKey: randomUUID(),
        },
      },
    );
    expect(answer.data.postMessage).toEqual({
      userErrors: [{ code: 'CONFLICT', field: 'expectedLastMessageId' }],
      ticket: { messages: { nodes: [{ bodyText: 'Since noon.' }, { bodyText: 'We look.' }] } },
    });
  });

  test('an older version is a conflict that shows the ticket as it is; a message needs none', async () => {
    const ticket = await open();
    const stale = seen(ticket);
    await desk.setTicketPriority(samira, { ...stale, priority: 'HIGH' });
    const answer = await ask(
      'mutation($input: ResolveTicketInput!) { resolveTicket(input: $input) { userErrors { code message } ticket { priority version } } }',
      { input: stale },
    );
    expect(answer.data.resolveTicket).toEqual({
      userErrors: [{ code: 'CONFLICT', message: 'Someone changed this ticket meanwhile.' }],
      ticket: { priority: 'HIGH', version: 2 },
    });
  });

  test('twenty changes of one version: one succeeds', async () => {
    const ticket = seen(await open());
    const agents = await Promise.all(Array.from({ length: 20 }, () => world.context(SAMIRA, 'tickets')));
    const tried = await Promise.allSettled(
      agents.map((agent) => desk.setTicketPriority(agent, { ...ticket, priority: 'LOW' })),
    );
    expect(tried.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of tried)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'CONFLICT' });
  });

  test('the same message sent twice stands there once', async () => {
    const ticket = await open();
    const twice = { idempotencyKey: randomUUID() };
    await say(ticket, twice);
    expect((await say(ticket, twice)).messageCount).toBe(2);
    await expect(say(ticket, { ...twice, bodyText: 'Other words.' })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_MISMATCH',
    });
  });

  test('what was said and what happened cannot be changed, not even by the service itself', async () => {
    const ticket = await open();
    for (const statement of [
      'update tickets.ticket_message set body_text = ?',
      'delete from tickets.ticket_message where body_text <> ?',
      'update tickets.ticket_event set reason = ?',
    ])
      await expect(samira.tx((em) => em.execute(statement, ['x']))).rejects.toThrow('permission denied');
    expect((await historyOf(ticket)).map(({ kind }) => kind)).toEqual(['OPENED', 'MESSAGE_POSTED']);
  });

  test('a message of 100,001 letters, an empty one and one with NUL are refused', async () => {
    const ticket = await open();
    for (const bodyText of ['x'.repeat(100_001), ' ', 'a\0b'])
      await expect(say(ticket, { bodyText })).rejects.toMatchObject({ code: 'INVALID', field: 'bodyText' });
  });

  test('who may only note does not answer customers, and an auditor only reads', async () => {
    const { id: ticketId } = await open();
    const post = (who: Asker, visibility: string) =>
      ask(
        'mutation($input: PostMessageInput!) { postMessage(input: $input) { userErrors { code } } }',
        { input: { ticketId, visibility, bodyText: 'Hm.', idempotencyKey: randomUUID() } },
        who,
      );
    expect(codes(await post(NILS, 'PUBLIC'))).toEqual(['FORBIDDEN']);
    expect((await post(NILS, 'INTERNAL')).data.postMessage).toEqual({ userErrors: [] });
    expect(codes(await post(EDDA, 'INTERNAL'))).toEqual(['FORBIDDEN']);
    expect(codes(await ask('query($id: ID) { ticket(id: $id) { number } }', { id: ticketId }, EDDA))).toBeUndefined();
  });

  test('another tenant’s ticket looks like one that never was, by every door', async () => {
    const { id } = await open();
    const moves = ['assignTicket', 'claimTicket', 'resolveTicket', 'reopenTicket'].map(
      (door) => [door, { expectedVersion: 1 }] as const,
    );
    const doors = [
      ...moves,
      ['waitTicket', { expectedVersion: 1, reason: 'VENDOR' }],
      ['cancelTicket', { expectedVersion: 1, reason: 'SPAM' }],
      ['setTicketPriority', { expectedVersion: 1, priority: 'LOW' }],
      ['postMessage', { visibility: 'PUBLIC', bodyText: 'x' }],
    ] as const;
    for (const [door, rest] of doors) {
      const type = `${door[0]?.toUpperCase()}${door.slice(1)}Input`;
      const asked = (ticketId: string) =>
        ask(
          `mutation($input: ${type}!) { ${door}(input: $input) { ticket { id } userErrors { code message field } } }`,
          {
            input: { ticketId, ...rest, ...(door === 'postMessage' ? { idempotencyKey: randomUUID() } : {}) },
          },
          BRUNO,
        );
      const foreign = await asked(id);
      expect(foreign).toEqual(await asked(randomUUID()));
      expect(foreign.data[door]).toMatchObject({ ticket: null, userErrors: [{ code: 'NOT_FOUND' }] });
    }
    for (const foreign of [id, randomUUID(), 'no id at all'])
      expect((await ask('query($id: ID) { ticket(id: $id) { id } }', { id: foreign }, BRUNO)).data).toEqual({
        ticket: null,
      });
    const entities = await ask(
      'query($r: [_Any!]!) { _entities(representations: $r) { ... on Ticket { id } } }',
      { r: [{ __typename: 'Ticket', id }] },
      BRUNO,
    );
    expect(entities.data).toEqual({ _entities: [null] });
  });

  test('no ticket of atlas shows in northwind, though the subjects are the same', async () => {
    const list = '{ tickets(first: 100) { nodes { subject messages { nodes { bodyText } } } } }';
    const [here, there] = [JSON.stringify(await ask(list)), JSON.stringify(await ask(list, {}, BRUNO))];
    expect(here).toContain('CANARY-NORTHWIND');
    expect(here).not.toContain('CANARY-ATLAS');
    expect(there).toContain('CANARY-ATLAS');
    expect(there).not.toContain('CANARY-NORTHWIND');
    expect(there).toContain('Router blinks red');
  });

  test('there is a ticket in every status and for every wait reason', async () => {
    const { data } = await ask('{ tickets(first: 100) { nodes { status waitReason } } }');
    const nodes = (data.tickets as { nodes: { status: string; waitReason: string | null }[] }).nodes;
    expect(new Set(nodes.map(({ status }) => status))).toEqual(
      new Set(['NEW', 'OPEN', 'WAITING', 'RESOLVED', 'CLOSED', 'CANCELLED']),
    );
    expect(new Set(nodes.flatMap(({ waitReason }) => waitReason ?? []))).toEqual(
      new Set(['CUSTOMER', 'VENDOR', 'FIELD_VISIT', 'SCHEDULED']),
    );
  });

  test.each(['NEWEST', 'LAST_MESSAGE'])('paging through %s shows every ticket once', async (orderBy) => {
    const query = `query($after: String, $first: Int!) { tickets(orderBy: ${orderBy}, first: $first, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }`;
    type Page = { nodes: { id: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
    const whole = (await ask(query, { first: 100 })).data.tickets as Page;
    const met: string[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const page = (await ask(query, { first: 7, after })).data.tickets as Page;
      met.push(...page.nodes.map(({ id }) => id));
      [after, more] = [page.pageInfo.endCursor, page.pageInfo.hasNextPage];
    }
    expect(met).toEqual(whole.nodes.map(({ id }) => id));
    expect(new Set(met).size).toBe(met.length);
  });

  test('filters narrow the list, and a cursor or page that is made up is refused', async () => {
    const mine = await desk.claimTicket(
      samira,
      seen(await open({ subject: 'A 100 % odd_subject', requester: { customerId: ADLER } })),
    );
    const found = async (filter: string) => (await ask(`{ tickets(filter: ${filter}) { nodes { id } } }`)).data.tickets;
    expect(await found('{ text: "100 % odd_sub" }')).toEqual({ nodes: [{ id: mine.id }] });
    expect(await found('{ text: "100 _ odd" }')).toEqual({ nodes: [] });
    expect(
      await found(`{ text: "odd_subject", status: OPEN, customerId: "${ADLER}", assigneeId: "${seedId('6026')}" }`),
    ).toEqual({ nodes: [{ id: mine.id }] });
    expect(await found('{ customerId: "nobody" }')).toEqual({ nodes: [] });
    for (const args of ['first: 101', 'first: 0', 'after: "WyJ4IiwieSJd"', 'after: "!"', 'filter: { text: "x" }'])
      expect(codes(await ask(`{ tickets(${args}) { nodes { id } } }`))).toEqual(['BAD_USER_INPUT']);
    expect(codes(await ask('{ ticket { id } }'))).toEqual(['BAD_USER_INPUT']);
  });

  test('tags are kept as a set, and the ticket is found by its number', async () => {
    const { number } = await open({ tags: ['vip', 'late', 'vip'] });
    expect((await ask('query($number: String) { ticket(number: $number) { tags } }', { number })).data).toEqual({
      ticket: { tags: ['late', 'vip'] },
    });
    expect((await ask('query($number: String) { ticket(number: $number) { tags } }', { number }, BRUNO)).data).toEqual({
      ticket: null,
    });
  });

  test('the tickets of many customers are one statement, and their count another', async () => {
    const query =
      'query($r: [_Any!]!) { _entities(representations: $r) { ... on Customer { openTicketCount tickets(first: 2) { nodes { subject customer { id } } pageInfo { hasNextPage } } } } }';
    const representations = (n: number) =>
      Array.from({ length: n }, (_, i) => ({ __typename: 'Customer', id: [LENA, ADLER][i] ?? randomUUID() }));
    const few = await world.statementsOf('tickets', () => ask(query, { r: representations(1) }));
    const many = await world.statementsOf('tickets', () => ask(query, { r: representations(50) }));
    expect(few.length).toBeGreaterThan(0);
    expect(many.length).toBe(few.length);
    const { data } = await ask(query, { r: representations(2) });
    const [lena, adler] = (
      data as {
        _entities: { openTicketCount: number; tickets: { nodes: { customer: { id: string } }[]; pageInfo: object } }[];
      }
    )._entities;
    expect(lena).toMatchObject({
      openTicketCount: 1,
      tickets: {
        nodes: [{ subject: 'Why is there a late fee?', customer: { id: LENA } }],
        pageInfo: { hasNextPage: false },
      },
    });
    expect(adler?.tickets.nodes.map(({ customer }) => customer.id)).toEqual([ADLER, ADLER]);
    expect(adler?.tickets.pageInfo).toEqual({ hasNextPage: true });
  });

  test('a stream begins with the ticket, tells each change, and goes on from a cursor without loss', async () => {
    const ticket = await open();
    const follow = (after: string | null, who = samira) => ticketUpdates(who, ticket.id, after);
    const first = follow(null);
    const { value: snapshot } = await first.next();
    expect(snapshot).toMatchObject({ changes: ['SNAPSHOT'], ticketId: ticket.id });
    await say(ticket);
    expect((await first.next()).value).toMatchObject({ changes: ['MESSAGE_POSTED', 'STATUS_CHANGED'] });
    await first.return(undefined);
    await desk.resolveTicket(samira, { ticketId: ticket.id, expectedVersion: 2 });
    await open(); // somebody else's news
    const again = follow(snapshot?.cursor ?? '');
    expect((await again.next()).value).toMatchObject({ changes: ['MESSAGE_POSTED', 'STATUS_CHANGED'] });
    await desk.reopenTicket(samira, { ticketId: ticket.id, expectedVersion: 3 });
    expect((await again.next()).value).toMatchObject({ changes: ['STATUS_CHANGED'] });
    await again.return(undefined);
    expect(() => follow('made up')).toThrow('This cursor is not one of ours.');
  });

  test('the tenant whose month stands at 79 of 100 has 79 tickets', async () => {
    const { data } = await ask('{ a: tickets(first: 100) { nodes { assignee { id } } } }', {}, WREN);
    expect((data.a as { nodes: object[] }).nodes).toHaveLength(79);
    expect(JSON.stringify(data)).toContain(seedId(String(ADA.user)));
    const system = await world.system('kestrel', 'tickets');
    expect(
      await (await system.em()).execute('select used::int, "limit"::int from kernel.quota where key = \'tickets\''),
    ).toEqual([{ used: 79, limit: 100 }]);
    await system.end();
  });

  test('what a ticket holds leaves no personal text in the audit log', async () => {
    const { id } = await open({
      subject: 'CANARY-AUDIT',
      bodyText: 'CANARY-AUDIT',
      requester: { name: 'CANARY-AUDIT', email: 'canary-audit@x.example' },
    });
    const system = await world.system('northwind', 'tickets');
    const entries = await (await system.em()).execute('select after::text from kernel.audit_entry where row_id = ?', [
      id,
    ]);
    await system.end();
    expect(entries).toHaveLength(1);
    expect(JSON.stringify(entries).toUpperCase()).not.toContain('CANARY-AUDIT');
  });

  test('without the feature the doors deny, for everybody', async () => {
    const bare = { ...INGRID, tenant: 'oldtown' as const };
    expect(codes(await ask('{ tickets { nodes { id } } }', {}, bare))).toEqual(['FEATURE_NOT_LICENSED']);
  });
});
