import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { openGatewayWorld, type Person } from '../setup/gateway.ts';

const OPEN = `mutation($input: OpenTicketInput!) { openTicket(input: $input) { ticket { id } userErrors { code message } } }`;
const FOLLOW = `subscription { usageUpdated(keys: ["tickets"]) { changedKeys usage { key used limit percent } } }`;
const USED = '{ quotaUsage(keys: ["tickets"]) { used limit } }';
const WARNINGS = `select payload from kernel.event where tenant_id = $1 and name = 'licensing.quota.threshold_reached'
                   and payload ->> 'key' = 'tickets' order by seq`;
const KESTREL = '01990000-0000-7000-8000-000000000a01';

interface Opened {
  openTicket: { ticket: { id: string } | null; userErrors: { code: string }[] } | null;
}

describe('The tickets of a month run out', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let wren: Person;
  beforeAll(async () => {
    running = await openGatewayWorld();
    wren = await running.client.signIn('wren@kestrel.example', running.password);
  }, 60_000);
  afterAll(() => running?.close());

  const open = (subject: string) =>
    wren.ask<Opened, object>(OPEN, {
      input: { subject, bodyText: 'It is slow.', requester: { name: 'Marcus Tran' }, idempotencyKey: randomUUID() },
    });
  const used = async () => (await wren.ask<{ quotaUsage: { used: string }[] }, object>(USED)).data?.quotaUsage[0]?.used;

  test('from 79 of 100 to the last one: one warning at 80, one at 100, and of a hundred at once one passes', async () => {
    expect(await used()).toBe('79');
    const portal = wren.follow<{ usageUpdated: { usage: { used: string; percent: number }[] } }, object>(FOLLOW);
    const told = [(await portal.next()).data?.usageUpdated.usage[0]];
    expect(told[0]).toMatchObject({ used: '79', limit: '100', percent: 79 });

    const refusedBody = await open(''); // what is refused for another reason costs nothing
    expect(refusedBody.data?.openTicket).toMatchObject({ ticket: null, userErrors: [{ code: 'INVALID' }] });
    expect(await used()).toBe('79');

    for (let i = 0; i < 20; i++) expect((await open(`Sector ${i}`)).errors).toBeUndefined();
    expect(await used()).toBe('99');

    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        for (;;) {
          const answer = await open(`At once ${i}`);
          if (answer.errors?.[0]?.extensions.code !== 'OVERLOADED') return answer;
          await sleep(50 + Math.random() * 200);
        }
      }),
    );
    expect(answers.filter(({ data }) => data?.openTicket?.ticket)).toHaveLength(1);
    const refused = answers.flatMap(({ errors }) => errors ?? []);
    expect(refused).toHaveLength(99);
    for (const { extensions } of refused)
      expect(extensions).toMatchObject({
        ...{ code: 'QUOTA_EXCEEDED', key: 'tickets', limit: '100', used: '100', requiredPlan: 'professional' },
        ...{ resetsAt: expect.any(String), upgradeUrl: '/billing/upgrade?quota=tickets' },
      });
    expect(await used()).toBe('100');

    const warnings = (await running.world.sql(WARNINGS, [KESTREL])).map(({ payload }) => [
      payload.percent,
      payload.used,
    ]);
    expect(warnings).toEqual([
      [80, '80'],
      [100, '100'],
    ]);
    while (told.at(-1)?.used !== '100') told.push((await portal.next()).data?.usageUpdated.usage[0]);
    expect(told.map((one) => Number(one?.used))).toEqual(told.map((one) => Number(one?.used)).sort((a, b) => a - b));
    await expect(portal.next(5_000)).rejects.toThrow('No result came'); // and there it ends
    await portal.stop();
  }, 60_000);
});
