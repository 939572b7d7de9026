import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { hashOfKey } from '../../../subgraphs/_kernel/api-key.ts';
import { type GatewayClient, openGatewayWorld, type Person } from '../../setup/gateway.ts';
import { envelopeOf, tenantId } from '../trial.ts';

let running: Awaited<ReturnType<typeof openGatewayWorld>>;
let client: GatewayClient;
let ingrid: Person;
beforeAll(async () => {
  running = await openGatewayWorld();
  client = running.client;
  ingrid = await client.signIn('ingrid@northwind.example', running.password);
}, 60_000);
afterAll(() => running?.close());

const KEY = 'apiKey { id start mode state scopes addresses expiresAt replacedBy lastUsedAt }';
interface ApiKey {
  id: string;
  start: string;
  mode: string;
  state: string;
  scopes: string[];
  replacedBy: string | null;
}
interface Answer {
  apiKey: ApiKey | null;
  key?: string | null;
  userErrors: { code: string; message: string; field: string | null }[];
}
const TYPES: Record<string, string> = {
  createApiKey: 'CreateApiKeyInput',
  rotateApiKey: 'RotateApiKeyInput',
  confirmApiKey: 'IdInput',
  revokeApiKey: 'RevokeApiKeyInput',
};
const change = async (door: string, input: object, who = ingrid) => {
  const secret = /create|rotate/.test(door) ? 'key' : '';
  const { data, errors } = await who.ask<Record<string, Answer>, object>(
    `mutation($input: ${TYPES[door]}!) { ${door}(input: $input) { ${KEY} ${secret} userErrors { code message field } } }`,
    { input },
  );
  return { ...(data?.[door] as Answer), errors };
};
const make = async (asked: object = {}, who = ingrid) => {
  const answer = await change(
    'createApiKey',
    {
      name: 'Export',
      scopes: ['billing.customer.read', 'tickets.ticket.read'],
      idempotencyKey: randomUUID(),
      ...asked,
    },
    who,
  );
  expect([answer.errors, answer.userErrors]).toEqual([undefined, []]);
  return { id: String(answer.apiKey?.id), key: String(answer.key) };
};
const CUSTOMERS = '{ customers(first: 1) { nodes { id } } }';
const codeOf = ({ errors }: { errors?: { extensions: { code: string } }[] }) => errors?.[0]?.extensions.code ?? 'OK';
const ask = async (key: string, query = CUSTOMERS) => codeOf(await client.post(query, {}, key));

/** Milliseconds from now to when the first request that is answered with a code was sent. */
async function until(key: string, code: string): Promise<number> {
  const began = performance.now();
  while (performance.now() - began < 5_000) {
    const asked = performance.now();
    if ((await ask(key)) === code) return asked - began;
    await sleep(10);
  }
  return Number.POSITIVE_INFINITY;
}

test('a key is shown once, kept as its SHA-256 alone, and works from a program at once', async () => {
  const idempotencyKey = randomUUID();
  const asked = { name: 'Nightly', scopes: ['billing.customer.read'], idempotencyKey };
  const first = await change('createApiKey', asked);
  const again = await change('createApiKey', asked);
  expect(again).toMatchObject({ apiKey: { id: first.apiKey?.id }, key: null });
  expect(first.apiKey).toMatchObject({ state: 'ACTIVE', mode: 'LIVE', start: first.key?.slice(0, 12) });
  const rows = await running.world.sql(
    'select row_to_json(k)::text as text, hash from identity.api_key k where id = $1',
    [first.apiKey?.id],
  );
  expect(rows[0].hash).toBe(hashOfKey(String(first.key)));
  expect(rows[0].text).not.toContain(String(first.key).slice(12));
  expect(await ask(String(first.key))).toBe('OK');
  expect((await change('createApiKey', { ...asked, name: 'Another' })).userErrors).toMatchObject([
    { code: 'IDEMPOTENCY_MISMATCH' },
  ]);
});

test('it opens what it carries and nothing else, for its own tenant alone', async () => {
  const { key } = await make();
  expect(await ask(key, '{ tickets(first: 1) { nodes { id } } }')).toBe('OK');
  expect(await ask(key, '{ devices(first: 1) { nodes { id } } }')).toBe('FORBIDDEN');
  expect(await ask(key, '{ members(first: 1) { nodes { id } } }')).toBe('FORBIDDEN');
  const { data } = await client.post<{ me: unknown; tenant: { slug: string } }>(
    '{ me { user { id } } tenant { slug } }',
    {},
    key,
  );
  expect(data).toEqual({ me: null, tenant: { slug: 'northwind' } });
  const withHeader = await client.post<{ tenant: { slug: string } }>('{ tenant { slug } }', {}, key, {
    'x-tenant-id': tenantId('kestrel'),
  });
  expect(withHeader.data?.tenant.slug).toBe('northwind');
});

test('a truncated, mistyped or unknown one is refused, and so is one from a foreign network', async () => {
  const { key } = await make();
  const other = key.replace(/.{7}$/, key.endsWith('0') ? '1' : '0');
  for (const wrong of [key.slice(0, -1), `${key}0`, key.toLowerCase(), key.toUpperCase(), other])
    expect(await ask(wrong)).toBe('UNAUTHENTICATED');
  expect(await ask((await make({ addresses: ['127.0.0.0/8'] })).key)).toBe('OK');
  expect(await ask((await make({ addresses: ['192.0.2.0/24', '2001:db8::/32'] })).key)).toBe('UNAUTHENTICATED');
});

test('in an address it is refused, and ended because it leaked', async () => {
  const { key, id } = await make();
  const url = `${client.url}?query=${encodeURIComponent(CUSTOMERS)}&api_key=${key}`;
  expect((await fetch(url, { headers: { 'apollo-require-preflight': '1' } })).status).toBe(401);
  expect(await until(key, 'UNAUTHENTICATED')).toBeLessThan(1_000);
  const { data } = await ingrid.ask<{ apiKey: ApiKey }, object>('query($id: ID!) { apiKey(id: $id) { state } }', {
    id,
  });
  expect(data?.apiKey.state).toBe('REVOKED');
});

test('whoever finds one may end it, and never learns whether there was one', async () => {
  const { key } = await make();
  const end = async (text: string) => {
    const input = { key: text };
    return (
      await client.post(
        'mutation($input: LeakedKeyInput!) { revokeLeakedKey(input: $input) { isDone userErrors { code } } }',
        { input },
      )
    ).data;
  };
  const told = { revokeLeakedKey: { isDone: true, userErrors: [] } };
  expect([await end(key), await end(key), await end('isp_live_nonsense'), await end('')]).toEqual([
    told,
    told,
    told,
    told,
  ]);
  expect(await until(key, 'UNAUTHENTICATED')).toBeLessThan(1_000);
});

test('revoked, it is refused within a second, and its streams end', async () => {
  const { key, id } = await make({ scopes: ['tickets.ticket.read'] });
  const { data } = await ingrid.ask<{ tickets: { nodes: { id: string }[] } }, object>(
    '{ tickets(first: 1) { nodes { id } } }',
  );
  const stream = client.follow(key, 'subscription($id: ID!) { ticketUpdated(ticketId: $id) { cursor } }', {
    id: data?.tickets.nodes[0]?.id,
  });
  await stream.next();
  const ended = stream.done.then(
    () => performance.now(),
    () => performance.now(),
  );
  const began = performance.now();
  expect((await change('revokeApiKey', { id, reason: 'Not needed.' })).apiKey?.state).toBe('REVOKED');
  expect(await until(key, 'UNAUTHENTICATED')).toBeLessThan(1_000);
  expect((await ended) - began).toBeLessThan(1_500);
  expect((await change('revokeApiKey', { id })).userErrors).toMatchObject([{ code: 'INVALID_STATE' }]);
});

test('rotated, both work until the overlap is over; without overlap the old one ends at once', async () => {
  const old = await make();
  const rotated = await change('rotateApiKey', { id: old.id, overlapHours: 24, idempotencyKey: randomUUID() });
  expect([await ask(old.key), await ask(String(rotated.key))]).toEqual(['OK', 'OK']);
  const { data } = await ingrid.ask<{ apiKey: ApiKey }, object>(
    'query($id: ID!) { apiKey(id: $id) { state replacedBy } }',
    { id: old.id },
  );
  expect(data?.apiKey).toEqual({ state: 'ROTATING', replacedBy: rotated.apiKey?.id });
  const next = await change('rotateApiKey', { id: rotated.apiKey?.id, overlapHours: 0, idempotencyKey: randomUUID() });
  expect(await until(String(rotated.key), 'UNAUTHENTICATED')).toBeLessThan(1_000);
  expect(await ask(String(next.key))).toBe('OK');
  for (const overlapHours of [-1, 169])
    expect(
      (await change('rotateApiKey', { id: next.apiKey?.id, overlapHours, idempotencyKey: randomUUID() })).userErrors,
    ).toMatchObject([{ code: 'INVALID', field: 'overlapHours' }]);
});

test('its maker demoted, it goes to review and works on until somebody answers for it', async () => {
  const { id: membershipId, version } = await memberNamed('Nils Aumann');
  const given = await setRoles(membershipId, version, ['tenant_admin']);
  const nils = await client.signIn('nils@northwind.example', running.password);
  const { id, key } = await make({ scopes: ['network.inventory.read'] }, nils);
  await setRoles(membershipId, given, ['sales']);
  const state = async () =>
    (await ingrid.ask<{ apiKey: ApiKey }, object>('query($id: ID!) { apiKey(id: $id) { state } }', { id })).data?.apiKey
      .state;
  for (let i = 0; i < 100 && (await state()) !== 'REVIEW'; i += 1) await sleep(50);
  expect(await state()).toBe('REVIEW');
  expect(await ask(key, '{ devices(first: 1) { nodes { id } } }')).toBe('OK');
  expect((await change('confirmApiKey', { id })).apiKey?.state).toBe('ACTIVE');
  expect((await change('confirmApiKey', { id })).userErrors).toMatchObject([{ code: 'INVALID_STATE' }]);
}, 20_000);

async function memberNamed(name: string) {
  const { membershipId } = envelopeOf(name);
  const { data } = await ingrid.ask<{ member: { id: string; version: number } }, object>(
    'query($id: ID!) { member(id: $id) { id version } }',
    { id: membershipId },
  );
  return data?.member as { id: string; version: number };
}
async function setRoles(membershipId: string, expectedVersion: number, roles: string[]): Promise<number> {
  const { data } = await ingrid.ask<{ setMemberRoles: { membership: { version: number } } }, object>(
    'mutation($input: MemberRolesInput!) { setMemberRoles(input: $input) { membership { version } userErrors { message } } }',
    { input: { membershipId, expectedVersion, roles } },
  );
  return Number(data?.setMemberRoles.membership.version);
}

test('time ends it, and warns before: at its instant, told once', async () => {
  const { id, key } = await make({ expiresAt: new Date(Date.now() + 1_500).toISOString() });
  expect(await until(key, 'UNAUTHENTICATED')).toBeLessThan(3_000);
  for (let i = 0; i < 100; i += 1) {
    const [row] = await running.world.sql('select state from identity.api_key where id = $1', [id]);
    if (row.state === 'EXPIRED') break;
    await sleep(50);
  }
  const told = await running.world.sql(
    "select name, payload from kernel.event where payload->>'keyId' = $1 order by seq",
    [id],
  );
  expect(told.map(({ name, payload }) => [name, payload.days])).toEqual([
    ['identity.api_key.created', undefined],
    ['identity.api_key.expiring', 30],
    ['identity.api_key.expiring', 7],
    ['identity.api_key.expiring', 1],
    ['identity.api_key.expired', undefined],
  ]);
}, 20_000);

test('it makes so many requests a second, and is told how long to wait', async () => {
  const { key } = await make({ requestsPerSecond: 2 });
  const answers = await Promise.all(Array.from({ length: 8 }, () => client.post(CUSTOMERS, {}, key)));
  expect(answers.filter((answer) => codeOf(answer) === 'OK').length).toBeLessThanOrEqual(3);
  const refused = answers.find((answer) => codeOf(answer) === 'RATE_LIMITED');
  expect(refused?.status).toBe(429);
  expect(Number(refused?.errors?.[0]?.extensions.retryAfterMs)).toBeGreaterThan(0);
});

test('when it was used last is known to the hour', async () => {
  const { id, key } = await make();
  await ask(key);
  let lastUsedAt: string | null = null;
  for (let i = 0; i < 60 && !lastUsedAt; i += 1) {
    await sleep(50);
    lastUsedAt =
      (
        await ingrid.ask<{ apiKey: { lastUsedAt: string | null } }, object>(
          'query($id: ID!) { apiKey(id: $id) { lastUsedAt } }',
          { id },
        )
      ).data?.apiKey.lastUsedAt ?? null;
  }
  expect(new Date(String(lastUsedAt)).getTime()).toBe(Math.floor(Date.now() / 3_600_000) * 3_600_000);
});

test('without the feature every key answers so, and works again, the same, when it is back', async () => {
  const { key } = await make({ requestsPerSecond: 100, scopes: ['tickets.ticket.read'] });
  const ngozi = await client.signIn('ngozi@platform.example', running.password);
  const override = async (isEnabled: boolean) => {
    const input = { tenantId: tenantId('northwind'), key: 'api_keys', isEnabled, reason: 'Under review.' };
    const { data } = await ngozi.ask<{ setOverride: { userErrors: object[] } }, object>(
      'mutation($input: SetOverrideInput!) { setOverride(input: $input) { userErrors { message } } }',
      { input },
    );
    expect(data?.setOverride.userErrors).toEqual([]);
  };
  const seen = await ingrid.ask<{ tickets: { nodes: { id: string }[] } }, object>(
    '{ tickets(first: 1) { nodes { id } } }',
  );
  const stream = client.follow(key, 'subscription($id: ID!) { ticketUpdated(ticketId: $id) { cursor } }', {
    id: seen.data?.tickets.nodes[0]?.id,
  });
  await stream.next();
  await override(false);
  const { errors } = await client.post('{ tenant { slug } }', {}, key);
  expect(errors?.[0]?.extensions).toMatchObject({ code: 'FEATURE_NOT_LICENSED', feature: 'api_keys' });
  await stream.done.catch(() => undefined);
  expect(codeOf(await ingrid.ask('{ apiKeys(first: 1) { nodes { id } } }'))).toBe('OK');
  const asked = { name: 'No', scopes: ['tickets.ticket.read'], idempotencyKey: randomUUID() };
  expect((await change('createApiKey', asked)).errors?.[0]?.extensions).toMatchObject({ code: 'FEATURE_NOT_LICENSED' });
  await override(true);
  expect(await ask(key, '{ tenant { slug } }')).toBe('OK');
});

test('another tenant’s key is like none', async () => {
  const { id } = await make();
  const wren = await client.signIn('wren@kestrel.example', running.password);
  for (const one of [id, randomUUID(), 'nonsense']) {
    const { data } = await wren.ask<{ apiKey: null }, object>('query($id: ID!) { apiKey(id: $id) { state } }', {
      id: one,
    });
    expect(data).toEqual({ apiKey: null });
    expect((await change('revokeApiKey', { id: one }, wren)).userErrors).toEqual([
      { code: 'NOT_FOUND', message: 'There is no such key.', field: 'id' },
    ]);
  }
});

test('each operation counts one call of the licence; over the limit it is refused with 429', async () => {
  const { key } = await make({ requestsPerSecond: 100 });
  const used = async () =>
    BigInt(
      (
        await running.world.sql("select used from kernel.quota where tenant_id = $1 and key = 'api_calls'", [
          tenantId('northwind'),
        ])
      )[0].used,
    );
  for (let i = 0; i < 3; i += 1) expect(await ask(key)).toBe('OK');
  const before = await used();
  expect(before).toBeGreaterThanOrEqual(3n);
  await running.world.sql(
    `update kernel.quota set used = "limit", policy = 'HARD' where tenant_id = $1 and key = 'api_calls'`,
    [tenantId('northwind')],
  );
  let refused = await client.post(CUSTOMERS, {}, key);
  for (let i = 0; i < 120 && codeOf(refused) === 'OK'; i += 1) refused = await client.post(CUSTOMERS, {}, key);
  expect([codeOf(refused), refused.status]).toEqual(['QUOTA_EXCEEDED', 429]);
});
