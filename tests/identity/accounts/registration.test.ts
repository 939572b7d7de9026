import { clientOf, openTrial, type Trial, tenantId } from '../trial.ts';
import { DEAD, doorsOf, FINE, lastToken, PASSWORD, refused, tokenIn } from './accounts.ts';

let trial: Trial;
let doors: ReturnType<typeof doorsOf>;
let client: ReturnType<typeof clientOf>;
beforeAll(async () => {
  trial = await openTrial();
  doors = doorsOf(trial);
  client = clientOf(trial);
});
afterAll(() => trial?.close());

const stateOf = async (email: string) =>
  (await trial.sql('select state, is_email_verified from identity.user where email = $1', [email]))[0];

describe('registering', () => {
  test('makes an account that enters no tenant, and whoever reads the mail proves it', async () => {
    expect(await doors.register({ email: 'Nora@Fields.example' })).toEqual(FINE);
    expect(await stateOf('nora@fields.example')).toEqual({ state: 'UNPROVED', is_email_verified: false });
    const before = await client.enter({ email: 'nora@fields.example', password: PASSWORD });
    expect(before.tokens.tenant).toBeNull();
    const [mail] = await trial.mails('nora@fields.example');
    expect(mail?.text).not.toContain('Nora'); // whoever registered may be a stranger to the reader
    expect(mail?.links[0]).toMatch(/^http:\/\/localhost:4000\/prove-email#isp_mp_[\w-]{43}$/);
    const own = doorsOf(trial, before.envelope);
    expect((await own.prove(tokenIn(mail))).userErrors).toEqual([]);
    expect(await stateOf('nora@fields.example')).toEqual({ state: 'ACTIVE', is_email_verified: true });
    expect((await own.prove(tokenIn(mail))).userErrors).toEqual(DEAD.userErrors);
    expect((await client.refresh(before.tokens.refreshToken)).answer.session).not.toBeNull();
  });

  test('opens no tenant before the mail is proved, even where a membership waits for it', async () => {
    await doors.register({ email: 'olaf@fields.example' });
    await trial.sqlIn(
      'harbour',
      `insert into identity.membership (id, user_id, kind, roles, state)
       select gen_random_uuid(), id, 'STAFF', '{tenant_admin}', 'ACTIVE' from identity.user where email = 'olaf@fields.example'`,
    );
    const { tokens, envelope } = await client.enter({ email: 'olaf@fields.example', password: PASSWORD });
    expect(tokens.tenant).toBeNull();
    expect((await client.switchTenant(envelope, tenantId('harbour'))).answer.session).toBeNull();
    await doors.prove(await lastToken(trial.mails('olaf@fields.example')));
    const { answer } = await client.signIn({ email: 'olaf@fields.example', password: PASSWORD });
    expect(answer.session?.tenant).toEqual({ slug: 'harbour' });
  });

  test('says the same of a mail that has an account, whose owner is told', async () => {
    expect(await doors.register({ email: 'wren@kestrel.example' })).toEqual(FINE);
    const [mail] = await trial.mails('wren@kestrel.example');
    expect(mail?.subject).toBe('You have an account already');
    expect((await client.signIn({ email: 'wren@kestrel.example' })).answer.session).not.toBeNull();
  });

  test('begins anew while the mail is not proved: a stranger who was first keeps nothing', async () => {
    await doors.register({ email: 'pat@fields.example', password: 'the stranger knows this' });
    const stranger = await client.enter({ email: 'pat@fields.example', password: 'the stranger knows this' });
    const first = await lastToken(trial.mails('pat@fields.example'));
    await doors.register({ email: 'pat@fields.example' });
    const second = await lastToken(trial.mails('pat@fields.example'));
    expect((await doors.prove(first)).userErrors).toEqual(DEAD.userErrors);
    expect((await doors.prove(second)).userErrors).toEqual([]);
    expect((await client.refresh(stranger.tokens.refreshToken)).answer.session).toBeNull();
    const wrong = await client.signIn({ email: 'pat@fields.example', password: 'the stranger knows this' });
    expect(wrong.answer.session).toBeNull();
  });

  test.each([
    ['a password of eleven letters', { password: 'elevenchars' }, 'A password has 12 to 128 characters.', 'password'],
    ['a most used one', { password: 'Password1234' }, 'This password is one of the most used ones.', 'password'],
    [
      'their own mail',
      { email: 'zoe@fields.example', password: 'ZOE@fields.example' },
      'A password is not your mail address, your name or that of your provider.',
      'password',
    ],
    ['no mail', { email: 'nobody' }, 'An e-mail address looks like ada@example.com.', 'email'],
    ['no name', { displayName: ' ' }, 'A name has 1 to 120 characters.', 'displayName'],
    ['an odd language', { locale: 'x' }, 'A locale is a BCP 47 tag, such as de-DE.', 'locale'],
  ])('refuses %s and names the rule', async (_, input, message, field) => {
    expect(await doors.register({ email: 'odd@fields.example', ...input })).toEqual(refused(message, field));
  });

  test('takes half a character for no text', async () => {
    await expect(
      doors.register({ email: 'odd@fields.example', password: 'half a letter \ud800' }),
    ).rejects.toMatchObject({
      extensions: { code: 'BAD_USER_INPUT' },
    });
  });

  test('is open to five an hour from one network', async () => {
    const near = doorsOf(trial, { address: '203.0.113.7' });
    for (let i = 0; i < 5; i += 1) expect(await near.register({ email: `many${i}@fields.example` })).toEqual(FINE);
    await expect(near.register({ email: 'many5@fields.example' })).rejects.toMatchObject({
      extensions: { code: 'RATE_LIMITED' },
    });
    expect(await doorsOf(trial, { address: '203.0.113.8' }).register({ email: 'many6@fields.example' })).toEqual(FINE);
  });

  test('mails an address three times an hour and answers the same', async () => {
    for (let i = 0; i < 5; i += 1) expect(await doors.register({ email: 'often@fields.example' })).toEqual(FINE);
    expect(await trial.mails('often@fields.example')).toHaveLength(3);
  });
});
