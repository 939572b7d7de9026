import { randomUUID } from 'node:crypto';
import { ClientError } from '../../../schema/errors.ts';
import type { Context } from '../../../subgraphs/_kernel/context.ts';
import { openTicket } from '../../../subgraphs/tickets/desk/ticket.service.ts';
import { ADA, openWorld, type World } from '../../setup/world.ts';

/** Kestrel has used 79 of its 100 tickets. */
describe('a plan of 100 tickets', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world?.close());

  const open = (ctx: Context, more: Record<string, unknown> = {}) =>
    openTicket(ctx, {
      ...{
        subject: 'No signal',
        bodyText: 'Since the storm.',
        kind: 'INCIDENT',
        priority: 'NORMAL',
        channel: 'PHONE',
        requester: { name: 'Marcus' },
      },
      ...{ idempotencyKey: randomUUID() },
      ...more,
    } as never);
  const counted = async () => {
    const ctx = await world.system('kestrel', 'tickets');
    const [row] = await (await ctx.em()).execute(
      `select (select used::int from kernel.quota where key = 'tickets') as used, (select count(*)::int from tickets.ticket) as tickets,
              (select count(*)::int from tickets.ticket_message) as messages`,
    );
    await ctx.end();
    return row;
  };
  const people = async (n: number) => {
    const contexts: Context[] = [];
    for (let i = 0; i < n; i++) contexts.push(await world.context(ADA, 'tickets'));
    return contexts;
  };
  /** Whoever is told that too much is going on at once tries again. */
  const insist = async (ctx: Context): Promise<'opened' | 'QUOTA_EXCEEDED'> => {
    const idempotencyKey = randomUUID();
    while (true) {
      try {
        await open(ctx, { idempotencyKey });
        return 'opened';
      } catch (error) {
        if (error instanceof ClientError && error.code === 'QUOTA_EXCEEDED') return error.code;
        if (!/timeout/.test((error as Error).message)) throw error;
      }
    }
  };

  test('a ticket that is refused costs nothing', async () => {
    const [ada] = (await people(1)) as [Context];
    await expect(open(ada, { subject: ' ' })).rejects.toMatchObject({ code: 'INVALID', field: 'subject' });
    await expect(open(ada, { channel: 'PORTAL' })).rejects.toMatchObject({ code: 'INVALID', field: 'channel' });
    await expect(
      ada.tx(async () => {
        await open(ada);
        throw new Error('the lights went out');
      }),
    ).rejects.toThrow('the lights went out');
    expect(await counted()).toEqual({ used: 79, tickets: 79, messages: 79 });
  });

  test('the same key opens one ticket, however often and however fast it is pressed', async () => {
    const idempotencyKey = randomUUID();
    const opened = await Promise.all((await people(5)).map((ada) => open(ada, { idempotencyKey })));
    expect(new Set(opened.map(({ id }) => id)).size).toBe(1);
    expect(await counted()).toMatchObject({ used: 80, tickets: 80 });
    const [ada] = (await people(1)) as [Context];
    await expect(open(ada, { idempotencyKey, subject: 'Another one' })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_MISMATCH',
    });
  });

  test('at 99 of 100, a hundred at once open exactly one; a reply at the limit still goes out', async () => {
    const [ada] = (await people(1)) as [Context];
    for (let used = 80; used < 99; used++) await open(ada);
    const outcomes = await Promise.all((await people(100)).map(insist));
    expect(outcomes.filter((outcome) => outcome === 'opened')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'QUOTA_EXCEEDED')).toHaveLength(99);
    expect(await counted()).toEqual({ used: 100, tickets: 100, messages: 100 });

    const answer = await world.ask(
      ADA,
      'tickets',
      'mutation { openTicket(input: { subject: "a", bodyText: "b", requester: { name: "c" }, idempotencyKey: "over" }) { ticket { id } userErrors { code } } }',
    );
    expect(answer.errors?.[0]?.extensions).toMatchObject({
      code: 'QUOTA_EXCEEDED',
      key: 'tickets',
      limit: '100',
      used: '100',
    });
    expect(answer.data).toEqual({ openTicket: null });

    const list = await world.ask(ADA, 'tickets', '{ tickets(first: 1, filter: { status: NEW }) { nodes { id } } }');
    const ticketId = (list.data as { tickets: { nodes: { id: string }[] } }).tickets.nodes[0]?.id;
    const reply = await world.ask(
      ADA,
      'tickets',
      'mutation($input: PostMessageInput!) { postMessage(input: $input) { userErrors { code } } }',
      {
        input: { ticketId, visibility: 'PUBLIC', bodyText: 'We are on our way.', idempotencyKey: randomUUID() },
      },
    );
    expect(reply).toEqual({ data: { postMessage: { userErrors: [] } } });
  });

  test('a customer at the limit is told to call, not how many tickets were bought', async () => {
    const marcus = { tenant: 'kestrel' as const, user: '6019', customerId: '01990000-0000-7000-8000-000000007019' };
    const answer = await world.ask(
      marcus,
      'tickets',
      'mutation { openMyTicket(input: { subject: "a", bodyText: "b", idempotencyKey: "c" }) { userErrors { code } } }',
    );
    expect(answer.errors?.[0]).toMatchObject({
      message: expect.stringContaining('Please call us'),
      extensions: { code: 'QUOTA_EXCEEDED' },
    });
    expect(Object.keys(answer.errors?.[0]?.extensions ?? {}).sort()).toEqual(['code', 'key']);
  });
});
