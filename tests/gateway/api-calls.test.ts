import { randomUUID } from 'node:crypto';
import { ANONYMOUS, type Caller } from '../../gateway/auth.ts';
import { statusOf } from '../../gateway/denials.ts';
import { dataOf } from '../../gateway/graph.ts';
import { packPermissions } from '../../schema/permissions.ts';
import { openGatewayWorld } from '../setup/gateway.ts';

const KESTREL = '01990000-0000-7000-8000-000000000a01';

describe('A gateway counts what machines ask', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  beforeAll(async () => {
    running = await openGatewayWorld();
  }, 60_000);
  afterAll(() => running?.close());

  /** A caller as an installation will be known; keys are asked for real in tests/identity/api-keys. */
  const key = (kind: Caller['kind']): Caller => ({
    ...{ ...ANONYMOUS, kind, tenantId: KESTREL, userId: '01990000-0000-7000-8000-00000000c001' },
    permissions: packPermissions(['tickets.ticket.read']),
  });
  const ask = async (kind: Caller['kind'], query = '{ tickets(first: 1) { nodes { number } } }') => {
    const request = { query, caller: key(kind), requestId: randomUUID(), address: '127.0.0.1' };
    const answer = await running.gateway.graph.execute(request);
    return { status: statusOf(dataOf(answer), answer.errors ?? []), data: dataOf(answer), errors: answer.errors };
  };
  const use = (used: number) =>
    running.world.sql(`update kernel.quota set used = $2 where tenant_id = $1 and key = 'api_calls'`, [KESTREL, used]);
  const used = async () => {
    const [row] = await running.world.sql(
      `select used::int from kernel.quota where tenant_id = $1 and key = 'api_calls'`,
      [KESTREL],
    );
    return row.used as number;
  };

  test('accepted operations of installations, not those of people, and none that was refused before', async () => {
    await use(0);
    expect((await ask('USER')).status).toBe(200);
    expect((await ask('INSTALLATION', '{ ticket')).status).toBe(400);
    expect(await used()).toBe(0);
    expect((await ask('INSTALLATION')).status).toBe(200);
    expect(await used()).toBe(1);
    expect((await ask('INSTALLATION')).status).toBe(200);
    expect(await used()).toBeGreaterThanOrEqual(2);
  });

  test('and answers 429 with the way out when none is left; people go on', async () => {
    await use(100_000);
    const refused: Awaited<ReturnType<typeof ask>>[] = [];
    while (refused.length < 3) {
      const answer = await ask('INSTALLATION');
      if (answer.errors) refused.push(answer); // the rest of a lease may be used up first
    }
    for (const { status, data, errors } of refused) {
      expect([status, data]).toEqual([429, undefined]);
      expect(errors).toMatchObject([
        {
          message: 'The plan allows 100000 API calls and 100000 are in use.',
          extensions: {
            ...{ code: 'QUOTA_EXCEEDED', key: 'api_calls', limit: '100000', used: '100000' },
            ...{ requiredPlan: 'professional', upgradeUrl: '/billing/upgrade?quota=api_calls' },
            resetsAt: expect.any(String),
          },
        },
      ]);
    }
    expect((await ask('USER')).status).toBe(200);
    expect(await used()).toBe(100_000);
  });
});
