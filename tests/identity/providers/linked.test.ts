import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { seedId } from '../../../subgraphs/_kernel/seed-world.ts';
import { answerFor } from '../../setup/codes.ts';
import { openProviderWorld, type ProviderWorld, type SignedIn } from './browser.ts';

let open: ProviderWorld;

beforeAll(async () => {
  open = await openProviderWorld();
  open.github.accounts.set('wren', { id: 4_711, email: 'wren@kestrel.example', verified: true });
  open.github.accounts.set('nameless', { id: 'four', email: 'wren@kestrel.example', verified: true });
}, 120_000);
afterAll(() => open.close());

const tokenOf = async (email: string) => (await open.client.signIn(email, open.password)).token;
const sentence = ({ userErrors }: { userErrors: { message: string }[] }) => userErrors[0]?.message;

describe('an account at another provider', () => {
  test('is never linked by its mail alone', async () => {
    const refused = await open.browser.signIn('google', 'ada@kestrel.example');
    expect(refused.session).toBeNull();
    expect(sentence(refused)).toBe('This account is not linked yet.');
  });

  test.each([
    ['google', 'somebody@gmail.example'],
    ['github', 'wren'],
  ])('signs in at %s once a signed-in person has linked it', async (connection, login) => {
    const token = await tokenOf('wren@kestrel.example');
    expect((await open.browser.link(connection, login, token)).answer).toEqual({ isDone: true, userErrors: [] });
    const { session } = await open.browser.signIn(connection, login);
    expect(session?.tenant?.slug).toBe('kestrel');
    const me = await open.client.post('{ me { user { id } methods } }', {}, session?.accessToken);
    expect(me.data).toEqual({ me: { user: { id: seedId('6011') }, methods: ['OAUTH'] } });
    const events = await open.world.sql(
      "select payload from kernel.event where name = 'identity.identity.linked' order by seq desc limit 1",
    );
    expect(events[0].payload).toMatchObject({ userId: seedId('6011'), provider: connection.toUpperCase() });
  });

  test('is one person’s: another cannot link it', async () => {
    const token = await tokenOf('ada@kestrel.example');
    const { answer } = await open.browser.link('google', 'somebody@gmail.example', token);
    expect(answer.userErrors[0]).toMatchObject({ code: 'CONFLICT' });
  });

  test('at GitHub is known by its number, and by nothing else', async () => {
    const { error, code } = await open.browser.goAndReturn('github', 'nameless');
    expect([error, code]).toEqual(['provider', null]);
  });

  test('of somebody with an authenticator app asks for the code too', async () => {
    const token = await tokenOf('ngozi@platform.example');
    expect((await open.browser.link('google', 'ngozi@gmail.example', token)).answer.isDone).toBe(true);
    const { session, challenge } = await open.browser.signIn('google', 'ngozi@gmail.example');
    expect(session).toBeNull();
    expect(challenge?.methods).toContain('OTP');
    const code = await answerFor('ngozi@platform.example', open.password, open.world.databaseUrl);
    const { answer } = await open.call<SignedIn>(
      'answerChallenge',
      'AnswerChallengeInput',
      '{ session { accessToken tenant { slug } } userErrors { message } }',
      { token: challenge?.token, code },
    );
    expect(answer.session?.tenant?.slug).toBe('platform');
  });

  test('is linked by the session that began, and by no other', async () => {
    const [first, second] = [await tokenOf('ada@kestrel.example'), await tokenOf('ada@kestrel.example')];
    const { code, verifier } = await open.browser.goAndReturn('google', 'ada@gmail.example', { intent: 'LINK' }, first);
    const { answer } = await open.call<{ isDone: boolean }>(
      'linkIdentity',
      'RedeemInput',
      '{ isDone userErrors { message } }',
      { code, verifier },
      second,
    );
    expect(answer.isDone).toBe(false);
  });

  test('cannot be signed in with by a code that was to link it', async () => {
    const token = await tokenOf('wren@kestrel.example');
    const { code, verifier } = await open.browser.goAndReturn('github', 'wren', { intent: 'LINK' }, token);
    expect((await open.browser.redeem(String(code), verifier)).session).toBeNull();
  });

  test('is seen in `me`, and signs nobody in once it is unlinked', async () => {
    const token = await tokenOf('wren@kestrel.example');
    const { data } = await open.client.post<{ me: { identities: { id: string; provider: string }[] } }>(
      '{ me { identities { id provider } } }',
      {},
      token,
    );
    const google = data?.me.identities.find(({ provider }) => provider === 'GOOGLE');
    const unlink = (id: string | undefined, by: string) =>
      open.call<{ isDone: boolean; userErrors: { code: string }[] }>(
        'unlinkIdentity',
        'IdInput',
        '{ isDone userErrors { code } }',
        { id },
        by,
      );
    const foreign = await unlink(google?.id, await tokenOf('ada@kestrel.example'));
    expect(foreign.answer.userErrors[0]?.code).toBe('NOT_FOUND');
    expect((await unlink(google?.id, token)).answer.isDone).toBe(true);
    expect((await open.browser.signIn('google', 'somebody@gmail.example')).session).toBeNull();
  });
});

describe('an invitation', () => {
  const invite = async (email: string) => {
    const [id, membership] = [randomUUID(), randomUUID()];
    await open.world.sql(
      `insert into identity.user (id, realm, email, is_email_verified, display_name, locale, state)
       values ($1, 'STAFF', $2, false, 'Nora Fields', 'en', 'INVITED')`,
      [id, email],
    );
    await open.sqlIn(
      'kestrel',
      `insert into identity.membership (tenant_id, id, user_id, kind, roles, state)
       values ($1, $2, $3, 'STAFF', '{sales}', 'INVITED')`,
      [seedId('0a01'), membership, id],
    );
    return id;
  };
  const activate = async (email: string) => {
    const went = await open.browser.goAndReturn('google', email, { intent: 'ACTIVATE' });
    return open.browser.redeem(String(went.code), went.verifier);
  };

  test('is taken up with the invited mail, where the provider has verified it', async () => {
    const userId = await invite('nora@kestrel.example');
    open.google.claims = { email_verified: 'yes' };
    expect(sentence(await activate('nora@kestrel.example'))).toBe('This account is not linked yet.');
    open.google.claims = {};
    expect(sentence(await activate('another@kestrel.example'))).toBe('This account is not linked yet.');
    const { session } = await activate('nora@kestrel.example');
    expect(session?.tenant?.slug).toBe('kestrel');
    const [row] = await open.world.sql('select state, is_email_verified from identity.user where id = $1', [userId]);
    expect(row).toEqual({ state: 'ACTIVE', is_email_verified: true });
    expect((await open.browser.signIn('google', 'nora@kestrel.example')).session).not.toBeNull();
  });

  test('is nothing somebody who has an account can take up', async () => {
    expect(sentence(await activate('wren@kestrel.example'))).toBe('This account is not linked yet.');
  });
});

describe('ways to sign in', () => {
  const ask = (email: string | null, realm: string | null = null) =>
    open.client.post<{ signInMethods: object }>(
      'query($email: String, $realm: String) { signInMethods(email: $email, realm: $realm) { methods isSsoRequired providers { provider } } }',
      { email, realm },
    );
  const COMMON = [{ provider: 'GOOGLE' }, { provider: 'GITHUB' }];

  test('follow from the domain of a mail, whether there is an account or not', async () => {
    const [lia, nobody] = [await ask('lia@atlas.example'), await ask('no.such.person@ATLAS.example')];
    expect(lia.data).toEqual(nobody.data);
    expect(lia.data?.signInMethods).toEqual({
      methods: ['PWD', 'KEY', 'OAUTH', 'SSO'],
      isSsoRequired: true,
      providers: [{ provider: 'SSO' }, ...COMMON],
    });
    const plain = { methods: ['PWD', 'KEY', 'OAUTH'], isSsoRequired: false, providers: COMMON };
    for (const email of ['wren@kestrel.example', 'x@nowhere.example', 'not a mail', null])
      expect((await ask(email)).data?.signInMethods).toEqual(plain);
    expect((await ask('lia@atlas.example', 'atlas')).data?.signInMethods).toEqual(plain);
  });

  test('are looked up thirty times a minute from one address', async () => {
    const codes: (string | undefined)[] = [];
    for (let i = 0; i < 31; i += 1) codes.push((await ask(null)).errors?.[0]?.extensions.code);
    expect(codes.at(-1)).toBe('RATE_LIMITED');
    expect(codes.filter(Boolean).length).toBeLessThan(10);
  });
});
