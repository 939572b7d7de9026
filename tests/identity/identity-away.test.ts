import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { stopSessions } from '../../subgraphs/identity/end-sessions.service.ts';
import { type AwayWorld, openAwayWorld } from '../setup/away.ts';
import type { Person } from '../setup/gateway.ts';

const SAMIRA = seedId('6026');
const MINUTE_MS = 60_000;
const CUSTOMERS = '{ customers(first: 1) { nodes { id } } }';
const SIGN_IN =
  'mutation($input: SignInInput!) { signIn(input: $input) { session { sessionId } userErrors { code } } }';

/** Proof 15: identity is gone, and nobody who was signed in notices. */
describe('Identity is away for four minutes', () => {
  let away: AwayWorld;
  let ingrid: Person;
  let samira: Person;
  let key: string;

  beforeAll(async () => {
    away = await openAwayWorld('identity');
    const password = String(away.world.config.SEED_PASSWORD);
    ingrid = await away.client.signIn('ingrid@northwind.example', password);
    samira = await away.client.signIn('samira@northwind.example', password); // has not asked yet: unknown to the gateway
    const { data } = await ingrid.ask<{ createApiKey: { key: string } }, object>(
      'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }',
      { input: { name: 'Export', scopes: ['billing.customer.read'], idempotencyKey: randomUUID() } },
    );
    key = String(data?.createApiKey.key);
    expect(await codeOf(key)).toBe('OK');
  }, 60_000);
  afterAll(() => away?.close());

  const codeOf = async (token: string) =>
    (await away.client.post(CUSTOMERS, {}, token)).errors?.[0]?.extensions.code ?? 'OK';
  const signIn = async () => {
    const input = { email: 'ingrid@northwind.example', password: String(away.world.config.SEED_PASSWORD) };
    const { data, errors } = await away.client.post(SIGN_IN, { input: { ...input, transport: 'BODY' } });
    return errors?.[0]?.extensions.code ?? (data ? 'OK' : 'NOTHING');
  };

  test('known tokens and keys go on, an open stream too; what is not known is told to come again, and nobody is signed out', async () => {
    const stream = ingrid.follow<{ licenseUpdated: { kind: string } }, object>(
      'subscription { licenseUpdated { kind } }',
    );
    await stream.next();
    away.isAway = true;
    for (const minutes of [0.1, 1, 3.9]) {
      away.ahead = minutes * MINUTE_MS;
      await sleep(1_100); // the feed was asked for in vain meanwhile
      expect([minutes, await codeOf(ingrid.token), await codeOf(key)]).toEqual([minutes, 'OK', 'OK']);
      expect(await codeOf(samira.token)).toBe('SUBGRAPH_UNAVAILABLE');
      expect(await codeOf(`isp_live_${'0'.repeat(20)}`)).toBe('UNAUTHENTICATED'); // broken by its own letters
      expect(await signIn()).toBe('SUBGRAPH_UNAVAILABLE');
    }
    away.ahead = 5.2 * MINUTE_MS;
    expect([await codeOf(ingrid.token), await codeOf(key)]).toEqual(['SUBGRAPH_UNAVAILABLE', 'SUBGRAPH_UNAVAILABLE']);

    away.isAway = false;
    const returnedAt = performance.now();
    while ((await codeOf(ingrid.token)) !== 'OK' && performance.now() - returnedAt < 5_000) await sleep(20);
    expect(performance.now() - returnedAt).toBeLessThan(2_000);
    expect([await codeOf(key), await codeOf(samira.token), await signIn()]).toEqual(['OK', 'OK', 'OK']);
    let isOver = false;
    void stream.done
      .catch(() => undefined)
      .then(() => {
        isOver = true;
      });
    await sleep(100);
    expect(isOver).toBe(false);
    await stream.stop();
  }, 60_000);

  test('what was revoked while the gateway could not hear is refused as soon as it hears again', async () => {
    expect(await codeOf(samira.token)).toBe('OK');
    away.isAway = true;
    away.ahead += 3_000;
    const ctx = await away.world.system('northwind', 'identity');
    await ctx.tx((em) => stopSessions(em, SAMIRA, 'POLICY'));
    await ctx.end();
    expect(await codeOf(samira.token)).toBe('OK');

    away.isAway = false;
    const returnedAt = performance.now();
    while ((await codeOf(samira.token)) === 'OK' && performance.now() - returnedAt < 5_000) await sleep(20);
    expect(performance.now() - returnedAt).toBeLessThan(2_000);
    expect(await codeOf(samira.token)).toBe('UNAUTHENTICATED');
    expect(await codeOf(ingrid.token)).toBe('OK');
  }, 30_000);
});
