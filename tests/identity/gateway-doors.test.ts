import { randomUUID } from 'node:crypto';
import { type Permission, permissionsOf, unpackPermissions } from '../../schema/permissions.ts';
import { PLATFORM_TENANT } from '../../subgraphs/_kernel/db.ts';
import { seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { rotateTokenKeys } from '../../subgraphs/identity/token-key.service.ts';
import { clientOf, envelopeOf, GATEWAY, openTrial, type Trial, tenantId } from './trial.ts';

let trial: Trial;
let client: ReturnType<typeof clientOf>;
beforeAll(async () => {
  trial = await openTrial();
  client = clientOf(trial);
}, 60_000);
afterAll(() => trial?.close());

const GRANTS =
  'query($ids: [ID!]!) { grants(sessionIds: $ids) { sessionId state endReason userId realm kind membershipId membershipVersion membershipState tenantId customerId catalogue bits strongAt generation } }';
const FEED = 'query($afterSeq: Int!, $first: Int!) { grantFeed(afterSeq: $afterSeq, first: $first) { head subjects } }';
interface Grant {
  sessionId: string;
  catalogue: string;
  bits: string;
}
const grantsOf = async (...ids: string[]) => (await trial.ask(GATEWAY, GRANTS, { ids })).data?.grants as Grant[];
const heldBy = (grant?: Grant) => {
  const holds = unpackPermissions({ catalogue: String(grant?.catalogue), bits: String(grant?.bits) });
  return (permission: Permission) => holds(permission);
};

describe('What a gateway is told', () => {
  test('nobody else is', async () => {
    for (const who of [{}, envelopeOf('Ngozi Adeyemi')])
      for (const [query, variables] of [
        [GRANTS, { ids: [] }],
        [FEED, { afterSeq: 0, first: 1 }],
        ['{ tokenKeys { kid } }', {}],
      ] as const)
        expect((await trial.ask(who, query, variables)).errors?.[0]?.extensions?.code).toBe('UNAUTHENTICATED');
  });

  test('of a session: whose it is, where, and what it allows', async () => {
    const { tokens } = await client.enter({ email: 'mira@northwind.example' });
    const { tokens: portal } = await client.enter({ email: 'lena@northwind.example', realm: 'northwind' });
    const [mira, lena] = [await grantsOf(tokens.sessionId), await grantsOf(portal.sessionId)].flat();
    expect(mira).toMatchObject({
      state: 'ACTIVE',
      endReason: null,
      userId: seedId('6023'),
      realm: 'STAFF',
      kind: 'STAFF',
      membershipId: seedId('60230001'),
      membershipVersion: 1,
      membershipState: 'ACTIVE',
      tenantId: tenantId('northwind'),
      customerId: null,
      generation: 1,
    });
    for (const permission of permissionsOf(['billing_manager'])) expect(heldBy(mira)(permission)).toBe(true);
    expect(heldBy(mira)('network.inventory.manage')).toBe(false);
    expect(lena).toMatchObject({ realm: tenantId('northwind'), kind: 'PORTAL', customerId: seedId('7031'), bits: '' });
  });

  test('of many sessions in one question; unknown ones are left out', async () => {
    const ids = await Promise.all(
      ['ada@kestrel.example', 'milo@kestrel.example'].map(
        async (email) => (await client.enter({ email })).tokens.sessionId,
      ),
    );
    const found = await grantsOf(...ids, randomUUID(), 'junk');
    expect(found.map(({ sessionId }) => sessionId).sort()).toEqual(ids.sort());
  });

  test('platform permissions are held in the platform and nowhere else', async () => {
    const { tokens } = await client.enter({ email: 'ngozi@platform.example' });
    expect(heldBy((await grantsOf(tokens.sessionId))[0])('tenancy.fleet.read')).toBe(true);
    await trial.sqlIn('harbour', "update identity.membership set roles = '{platform_admin}' where id = $1", [
      seedId('60410001'),
    ]);
    const { tokens: chidi } = await client.enter({ email: 'chidi@harbour.example' });
    expect(heldBy((await grantsOf(chidi.sessionId))[0])('tenancy.fleet.read')).toBe(false);
  });

  test('a session over by time or by its person is ended, one whose membership is stopped allows nothing', async () => {
    const { tokens } = await client.enter({ email: 'piet@northwind.example' });
    await trial.sqlIn('northwind', "update identity.membership set state = 'SUSPENDED' where id = $1", [
      seedId('60270001'),
    ]);
    expect(await grantsOf(tokens.sessionId)).toMatchObject([
      { state: 'ACTIVE', membershipState: 'SUSPENDED', bits: '' },
    ]);
    await trial.sql("update identity.user set state = 'SUSPENDED' where id = $1", [seedId('6027')]);
    expect(await grantsOf(tokens.sessionId)).toMatchObject([{ state: 'ENDED', endReason: 'USER_SUSPENDED' }]);
    await trial.sql("update identity.session set idle_until = now() - interval '1 minute' where id = $1", [
      tokens.sessionId,
    ]);
    expect(await grantsOf(tokens.sessionId)).toMatchObject([{ state: 'ENDED', endReason: 'IDLE' }]);
  });

  test('of changes, in the order they were committed, page by page', async () => {
    const read = async (afterSeq: number, first: number) =>
      (await trial.ask(GATEWAY, FEED, { afterSeq, first })).data?.grantFeed as { head: number; subjects: string[] };
    const { head } = await read(0, 0);
    const sessions = [];
    for (const email of ['ada@kestrel.example', 'milo@kestrel.example']) {
      const { tokens, envelope } = await client.enter({ email });
      await trial.ask(envelope, 'mutation { signOut { isDone } }');
      sessions.push(`session:${tokens.sessionId}`);
    }
    expect(await read(head, 1)).toEqual({ head: head + 1, subjects: sessions.slice(0, 1) });
    expect(await read(head, 10)).toEqual({ head: head + 2, subjects: sessions });
    expect(await read(head + 2, 10)).toEqual({ head: head + 2, subjects: [] });
  });
});

describe('The keys of access tokens', () => {
  const keys = async () =>
    (await trial.ask(GATEWAY, '{ tokenKeys { kid publicKey state } }')).data?.tokenKeys as {
      kid: string;
      publicKey: string;
      state: string;
    }[];
  const passes = (time: string) =>
    trial.sql(
      'update identity.token_key set made_at = made_at - $1::interval, active_at = active_at - $1::interval, retiring_at = retiring_at - $1::interval',
      [time],
    );

  test('are made once, however many need the first', async () => {
    await trial.sql('delete from identity.token_key');
    const seen = await Promise.all([keys(), keys(), keys(), keys()]);
    expect(new Set(seen.flat().map(({ kid }) => kid)).size).toBe(1);
    expect(await trial.sql('select state from identity.token_key')).toEqual([{ state: 'ACTIVE' }]);
  });

  test('are sealed in the database', async () => {
    const [row] = await trial.sql('select sealed from identity.token_key');
    expect(Buffer.from(row?.sealed, 'base64url')).toHaveLength(12 + 16 + 32);
  });

  test('are published a day before they sign, and verify for an hour after', async () => {
    const [first] = await keys();
    await passes('29 days');
    expect((await keys()).map(({ state }) => state)).toEqual(['ACTIVE', 'NEXT']);
    await passes('1 day');
    const turned = await keys();
    expect(turned.map(({ state }) => state).sort()).toEqual(['ACTIVE', 'RETIRING']);
    expect(turned.find(({ state }) => state === 'RETIRING')?.kid).toBe(first?.kid);
    await passes('1 hour');
    expect((await keys()).map(({ state }) => state)).toEqual(['ACTIVE']);
    expect(await trial.sql("select sealed from identity.token_key where state = 'RETIRED'")).toEqual([
      { sealed: null },
    ]);
  });

  test('turn once, however many turn them', async () => {
    await passes('29 days');
    const ctx = await trial.system('platform');
    await Promise.all(Array.from({ length: 6 }, () => rotateTokenKeys(ctx.inTenant(PLATFORM_TENANT))));
    expect((await keys()).map(({ state }) => state)).toEqual(['ACTIVE', 'NEXT']);
  });
});
