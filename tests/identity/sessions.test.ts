import { randomUUID } from 'node:crypto';
import { PLATFORM_TENANT } from '../../subgraphs/_kernel/db.ts';
import { seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { refreshTokenOf } from '../../subgraphs/identity/refresh-token.rules.ts';
import { clientOf, openTrial, type Tokens, type Trial, tenantId } from './trial.ts';

let trial: Trial;
let client: ReturnType<typeof clientOf>;
beforeAll(async () => {
  trial = await openTrial();
  client = clientOf(trial);
}, 60_000);
afterAll(() => trial?.close());

const AGAIN = {
  session: null,
  challenge: null,
  tenants: [],
  userErrors: [{ code: 'INVALID', message: 'Please sign in again.', field: null }],
};
const signIn = async (email = 'wren@kestrel.example') => (await client.enter({ email })).tokens;
const sessionOf = async ({ sessionId }: Tokens) =>
  (await trial.sql('select * from identity.session where id = $1', [sessionId]))[0];
const passes = ({ sessionId }: Tokens, time: string) =>
  trial.sql(
    `update identity.session set rotated_at = rotated_at - $2::interval, idle_until = idle_until - $2::interval,
       last_used_at = last_used_at - $2::interval, started_at = started_at - $2::interval, ends_at = ends_at - $2::interval where id = $1`,
    [sessionId, time],
  );
const told = (name: string, tokens: Tokens) =>
  trial.sql('select tenant_id, payload from kernel.event where name = $1 and payload ->> $2 = $3', [
    name,
    'sessionId',
    tokens.sessionId,
  ]);

describe('Refreshing', () => {
  test('gives the next tokens, again and again', async () => {
    const first = await signIn();
    const second = (await client.refresh(first.refreshToken)).answer.session as Tokens;
    const third = (await client.refresh(second.refreshToken)).answer.session as Tokens;
    expect(third).toMatchObject({ sessionId: first.sessionId, tenant: { slug: 'kestrel' } });
    expect(new Set([first, second, third].map(({ refreshToken }) => refreshToken)).size).toBe(3);
    expect(await sessionOf(first)).toMatchObject({ generation: 3, end_reason: null });
  });

  test('fifty times at once gives one answer', async () => {
    const { refreshToken, sessionId } = await signIn();
    const answers = await Promise.all(Array.from({ length: 50 }, () => client.refresh(refreshToken)));
    expect(answers.flatMap(({ errors = [] }) => errors)).toEqual([]);
    expect(new Set(answers.map(({ answer }) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]?.answer.session).toMatchObject({ sessionId });
    expect(await sessionOf({ sessionId } as Tokens)).toMatchObject({ generation: 2 });
  });

  test('with a token used eleven seconds ago ends the session, in every log', async () => {
    const first = await signIn();
    await client.refresh(first.refreshToken);
    await passes(first, '11 seconds');
    expect((await client.refresh(first.refreshToken)).answer).toEqual(AGAIN);
    expect(await sessionOf(first)).toMatchObject({ end_reason: 'REUSED' });
    expect(await told('identity.session.ended', first)).toEqual([
      { tenant_id: tenantId('kestrel'), payload: { sessionId: first.sessionId, reason: 'REUSED' } },
    ]);
    expect(
      await trial.sql("select outcome from identity.sign_in_record where session_id = $1 and method = 'REFRESH'", [
        first.sessionId,
      ]),
    ).toEqual([{ outcome: 'REUSED' }]);
    expect(
      await trial.sql("select count(*)::int as n from kernel.feed where name = 'grants' and subject = $1", [
        `session:${first.sessionId}`,
      ]),
    ).toEqual([{ n: 1 }]);
  });

  test('with its grandparent ends the session at once, and the newest token with it', async () => {
    const first = await signIn();
    const second = (await client.refresh(first.refreshToken)).answer.session as Tokens;
    const third = (await client.refresh(second.refreshToken)).answer.session as Tokens;
    expect((await client.refresh(first.refreshToken)).answer).toEqual(AGAIN);
    expect((await client.refresh(third.refreshToken)).answer).toEqual(AGAIN);
    expect(await sessionOf(first)).toMatchObject({ end_reason: 'REUSED', generation: 3 });
  });

  test('with junk, another MAC, a token never given or none changes nothing', async () => {
    const first = await signIn();
    const token = String(first.refreshToken);
    const edited = token.replace(/.$/, (letter) => (letter === 'A' ? 'E' : 'A'));
    const future = refreshTokenOf(Buffer.from(trial.config.IDENTITY_MAC_KEY, 'base64url'), first.sessionId, 9);
    const stranger = refreshTokenOf(Buffer.from(trial.config.IDENTITY_MAC_KEY, 'base64url'), randomUUID(), 1);
    for (const junk of ['', 'junk', edited, future, stranger, first.accessToken, null])
      expect((await client.refresh(junk)).answer).toEqual(AGAIN);
    expect(await sessionOf(first)).toMatchObject({ generation: 1, end_reason: null });
    expect((await client.refresh(token)).answer.session).not.toBeNull();
  });

  test('by cookie renews the cookie, and a useless one is taken away', async () => {
    const { extensions } = await client.signIn({ email: 'wren@kestrel.example', transport: 'COOKIE' });
    const { value } = (extensions?.reply as { refreshCookie: { value: string } }).refreshCookie;
    const renewed = await client.refreshByCookie(value);
    expect(renewed.answer.session).toMatchObject({ refreshToken: null });
    expect(renewed.extensions?.reply).toEqual({
      refreshCookie: { value: expect.stringContaining('.2.'), maxAgeSeconds: expect.any(Number) },
    });
    const useless = await client.refreshByCookie('isp_rt_junk');
    expect([useless.answer, useless.extensions?.reply]).toEqual([AGAIN, { refreshCookie: null }]);
  });

  test.each([
    ['eight hours of rest', 'wren@kestrel.example', '480 minutes', 'IDLE'],
    ['a day', 'wren@kestrel.example', '24 hours', 'EXPIRED'],
    ['half an hour of a platform administrator’s rest', 'ngozi@platform.example', '30 minutes', 'IDLE'],
  ])('after %s is refused and ends the session', async (_, email, time, reason) => {
    const tokens = await signIn(email);
    await passes(tokens, time);
    expect((await client.refresh(tokens.refreshToken)).answer).toEqual(AGAIN);
    expect(await sessionOf(tokens)).toMatchObject({ end_reason: reason });
  });

  test.each([
    [
      'the person is suspended',
      "update identity.user set state = 'SUSPENDED' where id = $1",
      "update identity.user set state = 'ACTIVE' where id = $1",
      seedId('6041'),
      'USER_SUSPENDED',
    ],
    [
      'the tenant is suspended',
      "update kernel.tenant_profile set state = 'SUSPENDED' where slug = $1",
      "update kernel.tenant_profile set state = 'ACTIVE' where slug = $1",
      'northwind',
      'TENANT_SUSPENDED',
    ],
  ])('when %s is refused and ends the session', async (_, stop, restore, subject, reason) => {
    const tokens = await signIn(subject === 'northwind' ? 'piet@northwind.example' : 'chidi@harbour.example');
    await trial.sql(stop, [subject]);
    expect((await client.refresh(tokens.refreshToken)).answer).toEqual(AGAIN);
    await trial.sql(restore, [subject]);
    expect(await sessionOf(tokens)).toMatchObject({ end_reason: reason });
  });
});

describe('Switching the tenant', () => {
  test('keeps the session, gives tokens for the other tenant, and tells the gateways', async () => {
    const { tokens, envelope } = await client.enter({ email: 'edda@northwind.example', tenant: 'northwind' });
    const { answer } = await client.switchTenant(envelope, tenantId('harbour'));
    expect(answer.session).toMatchObject({ sessionId: tokens.sessionId, tenant: { slug: 'harbour' } });
    expect(await client.seenBy(tokens)).toMatchObject({
      tenantId: tenantId('harbour'),
      membershipId: seedId('60240002'),
    });
    expect(
      await trial.sql('select count(*)::int as n from kernel.feed where subject = $1', [`session:${tokens.sessionId}`]),
    ).toEqual([{ n: 1 }]);
    const refreshed = (await client.refresh(answer.session?.refreshToken ?? null)).answer.session;
    expect(refreshed?.tenant).toEqual({ slug: 'harbour' });
  });

  test('works from a token without tenant', async () => {
    await trial.sql('update identity.session set home_id = null, membership_id = null where user_id = $1', [
      seedId('6024'),
    ]);
    const { tokens, envelope } = await client.enter({ email: 'edda@northwind.example' });
    expect([tokens.tenant, envelope.tenantId]).toEqual([null, null]);
    expect((await client.switchTenant(envelope, tenantId('northwind'))).answer.session?.tenant).toEqual({
      slug: 'northwind',
    });
  });

  test('to a tenant one is no member of is refused like one that does not exist', async () => {
    const { envelope } = await client.enter({ email: 'edda@northwind.example', tenant: 'northwind' });
    const { answer: foreign } = await client.switchTenant(envelope, tenantId('kestrel'));
    expect(foreign.userErrors).toEqual([{ code: 'NOT_FOUND', message: 'There is no such tenant.', field: 'tenantId' }]);
    for (const other of [randomUUID(), 'junk', PLATFORM_TENANT])
      expect((await client.switchTenant(envelope, other)).answer).toEqual(foreign);
  });
});

describe('Proving it once more', () => {
  test('makes the proof fresh, and counts wrong ones like a sign-in', async () => {
    const { tokens, envelope } = await client.enter({ email: 'bruno@atlas.example' });
    await trial.sql("update identity.session set strong_at = strong_at - interval '1 hour' where id = $1", [
      tokens.sessionId,
    ]);
    const { answer } = await client.stepUp(envelope, { password: trial.password });
    expect(answer.session?.sessionId).toBe(tokens.sessionId);
    expect(Date.now() / 1_000 - Number((await client.seenBy(tokens)).strongAt)).toBeLessThan(10);
    for (let i = 0; i < 5; i += 1)
      expect((await client.stepUp(envelope, { password: 'guess' })).answer.userErrors[0]?.message).toBe(
        'E-mail or password is not right.',
      );
    expect((await client.signIn({ email: 'bruno@atlas.example' })).answer.session).toBeNull();
  });
});

describe('Ending sessions', () => {
  const run = async (envelope: object, door: string, input?: object) => {
    const text = input
      ? `mutation($input: IdInput!) { ${door}(input: $input) { isDone userErrors { code message } } }`
      : `mutation { ${door} { isDone userErrors { code } } }`;
    return trial.ask(envelope, text, input ? { input } : {});
  };

  test('signing out ends one’s own and takes the cookie', async () => {
    const { tokens, envelope } = await client.enter({ email: 'milo@kestrel.example' });
    const { data } = await run(envelope, 'signOut');
    expect(data?.signOut).toEqual({ isDone: true, userErrors: [] });
    expect(await sessionOf(tokens)).toMatchObject({ end_reason: 'SIGNED_OUT' });
    expect((await client.refresh(tokens.refreshToken)).answer).toEqual(AGAIN);

    const { answer, extensions } = await client.signIn({ email: 'milo@kestrel.example', transport: 'COOKIE' });
    const { value } = (extensions?.reply as { refreshCookie: { value: string } }).refreshCookie;
    const out = await run({ refreshCookie: value }, 'signOut');
    expect([out.data?.signOut, out.extensions?.reply]).toEqual([
      { isDone: true, userErrors: [] },
      expect.objectContaining({ refreshCookie: null }),
    ]);
    expect(await sessionOf(answer.session as Tokens)).toMatchObject({ end_reason: 'SIGNED_OUT' });
  });

  test('one sees and ends one’s own devices, and nobody else’s', async () => {
    const { tokens: phone } = await client.enter({ email: 'ada@kestrel.example' });
    const { tokens: laptop, envelope } = await client.enter({ email: 'ada@kestrel.example' });
    const { data } = await trial.ask(envelope, '{ mySessions { id isCurrent methods transport } }');
    expect(data?.mySessions).toEqual([
      { id: laptop.sessionId, isCurrent: true, methods: ['PWD'], transport: 'BODY' },
      { id: phone.sessionId, isCurrent: false, methods: ['PWD'], transport: 'BODY' },
    ]);
    const wren = await signIn();
    const missing = (await run(envelope, 'endSession', { id: randomUUID() })).data?.endSession;
    expect(missing).toEqual({
      isDone: false,
      userErrors: [{ code: 'NOT_FOUND', message: 'There is no such session.' }],
    });
    for (const id of [wren.sessionId, 'junk'])
      expect((await run(envelope, 'endSession', { id })).data?.endSession).toEqual(missing);
    expect((await run(envelope, 'endSession', { id: phone.sessionId })).data?.endSession).toMatchObject({
      isDone: true,
    });
    expect((await run(envelope, 'endSession', { id: phone.sessionId })).data?.endSession).toEqual(missing);
    expect(await sessionOf(phone)).toMatchObject({ end_reason: 'ENDED_BY_OWNER' });
    expect(await sessionOf(wren)).toMatchObject({ end_reason: null });
  });

  test('ending all others leaves the one that asks, also over several tenants', async () => {
    const { tokens: north } = await client.enter({ email: 'edda@northwind.example', tenant: 'northwind' });
    const { tokens: harbour, envelope } = await client.enter({ email: 'edda@northwind.example', tenant: 'harbour' });
    await run(envelope, 'endOtherSessions');
    const open = await trial.sql('select id from identity.session where user_id = $1 and end_reason is null', [
      seedId('6024'),
    ]);
    expect(open).toEqual([{ id: harbour.sessionId }]);
    expect(await told('identity.session.ended', north)).toMatchObject([{ tenant_id: tenantId('northwind') }]);
  });

  test('whoever listens hears the end of their own session, with the reason, also one already past', async () => {
    const { tokens, envelope } = await client.enter({ email: 'milo@kestrel.example' });
    const other = await client.enter({ email: 'milo@kestrel.example' });
    const stream = await trial.listen(envelope, 'subscription { mySessionEnded { sessionId reason } }');
    const next = stream.next();
    await new Promise((resolve) => setTimeout(resolve, 200));
    await run(other.envelope, 'signOut');
    await run((await client.enter({ email: 'milo@kestrel.example' })).envelope, 'endSession', { id: tokens.sessionId });
    expect((await next).value).toEqual({
      data: { mySessionEnded: { sessionId: tokens.sessionId, reason: 'ENDED_BY_OWNER' } },
    });
    await stream.return(undefined);
    const late = await trial.listen(envelope, 'subscription { mySessionEnded { reason } }');
    expect((await late.next()).value).toEqual({ data: { mySessionEnded: { reason: 'ENDED_BY_OWNER' } } });
    await late.return(undefined);
  });

  test('strangers own no sessions', async () => {
    for (const query of [
      '{ mySessions { id } }',
      'mutation { signOut { isDone } }',
      'mutation { endOtherSessions { isDone } }',
    ]) {
      const { errors } = await trial.ask({}, query);
      expect(errors?.map(({ extensions }) => extensions?.code)).toEqual(['UNAUTHENTICATED']);
    }
  });
});
