import { seedId } from '../../../subgraphs/_kernel/seed-world.ts';
import type { Envelope } from '../../../subgraphs/_kernel/signed-context.ts';
import { clientOf, envelopeOf, openTrial, type Trial, tenantId } from '../trial.ts';
import { DEAD, doorsOf, FINE, lastToken, PASSWORD, refused } from './accounts.ts';

let trial: Trial;
let client: ReturnType<typeof clientOf>;
beforeAll(async () => {
  trial = await openTrial();
  client = clientOf(trial);
});
afterAll(() => trial?.close());

const isOpen = async (refreshToken: string | null) => (await client.refresh(refreshToken)).answer.session !== null;

describe("changing one's password", () => {
  test('ends all other sessions, gives this one new tokens, and is told by mail', async () => {
    const other = await client.enter({ email: 'ingrid@northwind.example' });
    const { tokens, envelope } = await client.enter({ email: 'ingrid@northwind.example' });
    const own = doorsOf(trial, envelope);
    const weak = await own.changePassword('northwind');
    expect(weak.userErrors).toEqual(refused('A password has 12 to 128 characters.', 'password').userErrors);
    const named = await own.changePassword('Ingrid Solberg');
    expect(named.userErrors[0]?.message).toBe(
      'A password is not your mail address, your name or that of your provider.',
    );
    const same = await own.changePassword(trial.password);
    expect(same.userErrors).toEqual(refused('This is your present password.', 'password').userErrors);
    const { session } = await own.changePassword(PASSWORD);
    expect(session?.sessionId).toBe(tokens.sessionId);
    expect(session?.accessToken).not.toBe(tokens.accessToken);
    expect(await isOpen(other.tokens.refreshToken)).toBe(false);
    expect(
      (await client.signIn({ email: 'ingrid@northwind.example', password: PASSWORD })).answer.session,
    ).not.toBeNull();
    const mails = await trial.mails('ingrid@northwind.example');
    expect(mails.map(({ subject }) => subject)).toContain('Your password was changed');
    const [event] = await trial.sql("select payload from kernel.event where name = 'identity.password.changed'");
    expect(event?.payload).toEqual({ userId: seedId('6021') });
  });
});

describe("changing one's address", () => {
  test('counts when the new one’s link was followed; the old one is told and can lock the account', async () => {
    const other = await client.enter({ email: 'samira@northwind.example' });
    const { tokens, envelope } = await client.enter({ email: 'samira@northwind.example' });
    const own = doorsOf(trial, envelope);
    expect(await own.changeEmail('nonsense')).toEqual(
      refused('An e-mail address looks like ada@example.com.', 'email'),
    );
    expect(await own.changeEmail('Samira@northwind.example')).toEqual(
      refused('This is your present address.', 'email'),
    );
    expect(await own.changeEmail('samira@new.example')).toEqual(FINE);
    expect((await client.signIn({ email: 'samira@northwind.example' })).answer.session).not.toBeNull();
    const token = await lastToken(trial.mails('samira@new.example'));
    expect((await own.prove(token)).userErrors).toEqual([]);
    expect((await own.prove(token)).userErrors).toEqual(DEAD.userErrors);
    expect((await client.signIn({ email: 'samira@northwind.example' })).answer.session).toBeNull();
    expect((await client.signIn({ email: 'samira@new.example' })).answer.session).not.toBeNull();
    expect([await isOpen(other.tokens.refreshToken), await isOpen(tokens.refreshToken)]).toEqual([false, true]);
    expect(await doorsOf(trial).lock(await lastToken(trial.mails('samira@northwind.example')))).toEqual(FINE);
    expect((await client.signIn({ email: 'samira@new.example' })).answer.session).toBeNull();
  });

  test('to one somebody has is answered alike, and does nothing', async () => {
    const { envelope } = await client.enter({ email: 'piet@northwind.example' });
    expect(await doorsOf(trial, envelope).changeEmail('wren@kestrel.example')).toEqual(FINE);
    const [mail] = await trial.mails('wren@kestrel.example');
    expect([mail?.subject, mail?.links]).toEqual(['This address has an account already', []]);
  });
});

test('Name and language are changed by their owner, and nobody else’s mail is shown', async () => {
  const { envelope } = await client.enter({ email: 'lotte@northwind.example' });
  const own = doorsOf(trial, envelope);
  const changed = await own.updateProfile({ displayName: '  Lotte Kern-Voss ', locale: 'de-de' });
  expect(changed).toEqual({ user: { displayName: 'Lotte Kern-Voss', locale: 'de-DE' }, userErrors: [] });
  expect((await own.updateProfile({ locale: '!' })).userErrors[0]?.code).toBe('INVALID');
  expect(await own.updateProfile({})).toMatchObject({ user: { displayName: 'Lotte Kern-Voss' } });
});

describe('leaving a tenant', () => {
  const membershipIn = async (userId: string, slug: 'northwind' | 'harbour') =>
    (
      await trial.sql('select id from identity.membership where user_id = $1 and home_id = $2', [
        userId,
        tenantId(slug),
      ])
    )[0].id;

  test('ends one’s own membership, frees the seat and ends the sessions for it', async () => {
    const { tokens, envelope } = await client.enter({ email: 'edda@northwind.example', tenant: 'harbour' });
    const id = await membershipIn(seedId('6024'), 'harbour');
    expect(await doorsOf(trial, envelope).leave(id)).toEqual(FINE);
    expect(await isOpen(tokens.refreshToken)).toBe(false);
    const { answer } = await client.signIn({ email: 'edda@northwind.example' });
    expect(answer.session?.tenant).toEqual({ slug: 'northwind' });
  });

  test('is refused to the last administrator, and for what is not one’s own', async () => {
    const chidi = await client.enter({ email: 'chidi@harbour.example' });
    const own = doorsOf(trial, chidi.envelope);
    const last = refused('A tenant keeps at least one administrator.', null, 'INVALID_STATE');
    expect(await own.leave(await membershipIn(seedId('6041'), 'harbour'))).toEqual(last);
    const foreign = await own.leave(await membershipIn(seedId('6024'), 'northwind'));
    expect(foreign).toEqual(refused('There is no such membership.', 'id', 'NOT_FOUND'));
    expect(await own.leave('01990000-0000-7000-8000-000000009999')).toEqual(foreign);
    expect(await own.leave('x')).toEqual(foreign);
  });
});

describe('erasing one’s account', () => {
  test('waits until one has left every tenant, and then takes all but the id', async () => {
    const { envelope } = await client.enter({ email: 'jonas@northwind.example' });
    const own = doorsOf(trial, envelope);
    const working = refused('You still work for a tenant. Please leave it first.', null, 'INVALID_STATE');
    expect(await own.erase()).toEqual(working);
    expect(await own.leave(String(envelope.membershipId))).toEqual(FINE);
    const alone = await client.enter({ email: 'jonas@northwind.example' });
    expect(await doorsOf(trial, alone.envelope).erase()).toEqual(FINE);
    expect(await isOpen(alone.tokens.refreshToken)).toBe(false);
    const [user] = await trial.sql('select state, email, display_name from identity.user where id = $1', [
      seedId('6022'),
    ]);
    expect(user).toEqual({ state: 'ERASED', email: null, display_name: 'Former user' });
    expect(await trial.sql('select from identity.credential where user_id = $1', [seedId('6022')])).toEqual([]);
    const seen = await trial.ask(
      envelopeOf('Ingrid Solberg'),
      'query($of: [_Any!]!) { _entities(representations: $of) { ... on User { displayName isFormer email } } }',
      { of: [{ __typename: 'User', id: seedId('6022') }] },
    );
    expect(seen.data?._entities).toEqual([{ displayName: 'Former user', isFormer: true, email: null }]);
    expect((await client.signIn({ email: 'jonas@northwind.example' })).answer.session).toBeNull();
    expect(await doorsOf(trial).register({ email: 'jonas@northwind.example' })).toEqual(FINE);
  });

  test('takes a subscriber’s account at once, with their access to the portal', async () => {
    const { envelope } = await client.enter({ email: 'lena@northwind.example', realm: 'northwind' });
    expect(await doorsOf(trial, envelope).erase()).toEqual(FINE);
    const [membership] = await trial.sql('select state from identity.membership where user_id = $1', [seedId('6031')]);
    expect(membership).toEqual({ state: 'ENDED' });
  });
});

test('An administrator ends the sessions of a member, who may sign in again', async () => {
  const { tokens } = await client.enter({ email: 'mira@northwind.example' });
  const [mira] = await trial.sql('select id, version from identity.membership where user_id = $1', [seedId('6023')]);
  const end = (envelope: Partial<Envelope>, expectedVersion: number) =>
    trial.ask(
      envelope,
      'mutation($input: MemberInput!) { endMemberSessions(input: $input) { isDone userErrors { code } } }',
      {
        input: { membershipId: mira.id, expectedVersion },
      },
    );
  const stale = await end(envelopeOf('Ingrid Solberg'), mira.version + 1);
  expect(stale.data?.endMemberSessions).toMatchObject({ userErrors: [{ code: 'CONFLICT' }] });
  expect((await end(envelopeOf('Bruno Tavares'), mira.version)).data?.endMemberSessions).toMatchObject({
    userErrors: [{ code: 'NOT_FOUND' }],
  });
  expect((await end(envelopeOf('Ingrid Solberg'), mira.version)).data?.endMemberSessions).toMatchObject({
    isDone: true,
  });
  expect(await isOpen(tokens.refreshToken)).toBe(false);
  expect((await client.signIn({ email: 'mira@northwind.example' })).answer.session).not.toBeNull();
});

describe('doors about one’s own account', () => {
  const WITH_INPUT = { changePassword: PASSWORD, changeEmail: 'x@y.example' } as const;
  const ask = (envelope: Partial<Envelope>, door: 'changePassword' | 'changeEmail' | 'erase') => {
    const own = doorsOf(trial, envelope);
    return door === 'erase' ? own.erase() : own[door](WITH_INPUT[door]);
  };
  const acting = { operator: seedId('6001'), impersonation: seedId('9001'), mode: 'ACT' } as const;

  test.each([
    'changePassword',
    'changeEmail',
    'erase',
  ] as const)('%s asks for a fresh proof, and is shut to strangers and to whoever acts for another', async (door) => {
    const wren = envelopeOf('Wren Castillo');
    await expect(ask({}, door)).rejects.toMatchObject({ extensions: { code: 'UNAUTHENTICATED' } });
    await expect(ask({ ...wren, strongAt: 1, proofs: ['PWD'] }, door)).rejects.toMatchObject({
      extensions: { code: 'FORBIDDEN', reason: 'STEP_UP', methods: ['PWD'] },
    });
    await expect(ask({ ...wren, actingFor: acting }, door)).rejects.toMatchObject({
      extensions: { code: 'FORBIDDEN', reason: 'IMPERSONATION' },
    });
  });
});
