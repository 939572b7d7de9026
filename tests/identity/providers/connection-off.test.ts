import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { localSubgraph } from '../../../gateway/data-sources.ts';
import { type Gateway, startGateway } from '../../../gateway/start.ts';
import { seedId } from '../../../subgraphs/_kernel/seed-world.ts';
import { createLog } from '../../../subgraphs/_kernel/telemetry.ts';
import { codeAt } from '../../../subgraphs/identity/factors/totp.rules.ts';
import { addTotp } from '../../../subgraphs/identity/factors/totp.service.ts';
import { checkEmailDomains } from '../../../subgraphs/identity/providers/email-domain.service.ts';
import { ATLAS_SSO } from '../../../subgraphs/identity/providers/seed.ts';
import { GatewayClient } from '../../setup/gateway.ts';
import { openProviderWorld, type ProviderWorld, type SignedIn } from './browser.ts';

let open: ProviderWorld;
let other: { gateway: Gateway; client: GatewayClient };
let bruno: string;

beforeAll(async () => {
  open = await openProviderWorld();
  const { world } = open;
  const sources = new Map(world.serving.subgraphs.map((running) => [running.name, localSubgraph(running)]));
  const gateway = await startGateway(world.config, sources, world.serving.fanOut, createLog(world.config, 'other'));
  other = { gateway, client: new GatewayClient(gateway.port) };
  bruno = String((await open.signInByPassword('bruno@atlas.example')).session?.accessToken);
}, 120_000);
afterAll(async () => {
  await other?.gateway.stop();
  await open?.close();
});

const LIA = 'lia@atlas.example';
const codeOf = async (token: string | undefined, client = open.client) => {
  const { errors } = await client.post('{ me { user { email } } }', {}, token);
  const { code, reason }: Record<string, unknown> = errors?.[0]?.extensions ?? { code: 'OK' };
  return [code, reason].filter(Boolean).join(' ');
};
const setState = async (state: 'ACTIVE' | 'OFF') => {
  const { answer, errors } = await open.call<{ userErrors: object[] }>(
    'setSsoState',
    'SsoStateInput',
    '{ userErrors { code message } }',
    { id: ATLAS_SSO, state },
    bruno,
  );
  expect([errors, answer?.userErrors]).toEqual([undefined, []]);
};
const endOf = async (sessionId: string | undefined) => {
  const [row] = await open.world.sql('select end_reason from identity.session where id = $1', [sessionId]);
  return row?.end_reason;
};
const REVOKED = 'UNAUTHENTICATED REVOKED';

test('Turned off, a connection ends the sessions it opened, at every gateway and in every stream, and no others', async () => {
  const sessions = [await open.browser.signIn(ATLAS_SSO, LIA), await open.browser.signIn(ATLAS_SSO, LIA)];
  const tokens = sessions.map(({ session }) => session?.accessToken);
  expect(await Promise.all(tokens.map((token) => codeOf(token, other.client)))).toEqual(['OK', 'OK']);
  const stream = open.client.follow(String(tokens[0]), 'subscription { licenseUpdated { version } }');
  await stream.next();
  const ended = stream.done.then(
    () => 'ended',
    () => 'ended',
  );
  await setState('OFF');
  for (const client of [open.client, other.client])
    expect(await Promise.all(tokens.map((token) => codeOf(token, client)))).toEqual([REVOKED, REVOKED]);
  expect(await Promise.race([ended, sleep(1_000).then(() => 'open')])).toBe('ended');
  expect(await Promise.all(sessions.map(({ session }) => endOf(session?.sessionId)))).toEqual([
    ...['PROVIDER_OFF', 'PROVIDER_OFF'],
  ]);
  const told = await open.world.sql(
    "select payload from kernel.event where name = 'identity.session.ended' and payload ->> 'reason' = 'PROVIDER_OFF' and tenant_id = $1",
    [seedId('0a05')],
  );
  expect(told).toHaveLength(2);
  expect(await codeOf(bruno)).toBe('OK');
  const { answer } = await open.call<SignedIn>(
    'refreshSession',
    'RefreshInput',
    '{ session { sessionId } userErrors { message } }',
    { refreshToken: sessions[0]?.session?.refreshToken },
  );
  expect(answer.session).toBeNull();
  await setState('ACTIVE');
  expect(await codeOf(tokens[0])).toBe(REVOKED);
  expect((await open.browser.signIn(ATLAS_SSO, LIA)).session).not.toBeNull();
});

test('Whoever is on the way through it when it is turned off does not arrive', async () => {
  const secret = Buffer.alloc(20, 7);
  await addTotp(await open.world.system('atlas', 'identity'), seedId('6072'), secret);
  const { challenge, session } = await open.browser.signIn(ATLAS_SSO, LIA);
  expect([session, challenge?.methods]).toEqual([null, ['OTP']]);
  const answer = async () =>
    (
      await open.call<SignedIn>(
        'answerChallenge',
        'AnswerChallengeInput',
        '{ session { sessionId } userErrors { message } }',
        { token: challenge?.token, code: codeAt(secret, new Date()) },
      )
    ).answer;
  await setState('OFF');
  expect(await answer()).toMatchObject({ session: null, userErrors: [{ message: 'Please sign in again.' }] });
  await setState('ACTIVE');
  expect((await answer()).session).not.toBeNull(); // it was not used up
  await open.world.sql('delete from identity.second_factor where user_id = $1', [seedId('6072')]);
});

test('A connection that becomes another is off until it was tried, and what it opened ends', async () => {
  const { session } = await open.browser.signIn(ATLAS_SSO, LIA);
  const [{ version }] = await open.world.sql('select version from identity.sso_connection where id = $1', [ATLAS_SSO]);
  const { answer } = await open.call<{ ssoConnection: object; userErrors: object[] }>(
    'saveSsoConnection',
    'SsoInput',
    '{ ssoConnection { state } userErrors { code message } }',
    {
      ...{ id: ATLAS_SSO, expectedVersion: version, issuer: open.sso.issuer, clientId: 'atlas two' },
      ...{ domainIds: [seedId('6076')], emergencyUserIds: [seedId('6071')], isRequired: true, createsMembers: false },
      roleMap: [],
    },
    bruno,
  );
  expect(answer).toEqual({ ssoConnection: { state: 'DRAFT' }, userErrors: [] });
  expect([await codeOf(session?.accessToken, other.client), await endOf(session?.sessionId)]).toEqual([
    ...[REVOKED, 'PROVIDER_OFF'],
  ]);
  await open.sqlIn('atlas', "update identity.sso_connection set state = 'ACTIVE', tested_at = now()");
  await open.world.sql("update identity.email_domain set is_offered = true where domain = 'atlas.example'");
});

test('A connection whose last domain is lost ends what it opened', async () => {
  const lost = await open.browser.signIn(ATLAS_SSO, LIA);
  expect(lost.session).not.toBeNull();
  await open.world.sql("update identity.email_domain set token = 'moved', failures = 2 where domain = 'atlas.example'");
  await checkEmailDomains(await open.world.system('platform', 'identity'));
  expect(await endOf(lost.session?.sessionId)).toBe('PROVIDER_OFF');
  expect(await codeOf(lost.session?.accessToken)).toBe(REVOKED);
});
