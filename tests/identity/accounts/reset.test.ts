import { clientOf, envelopeOf, openTrial, type Trial } from '../trial.ts';
import { DEAD, doorsOf, FINE, lastToken, refused, tokenIn } from './accounts.ts';

const NEW = 'a whole new password';

let trial: Trial;
let doors: ReturnType<typeof doorsOf>;
let client: ReturnType<typeof clientOf>;
beforeAll(async () => {
  trial = await openTrial();
  doors = doorsOf(trial);
  client = clientOf(trial);
});
afterAll(() => trial?.close());

const signsIn = async (email: string, password: string, realm?: string) =>
  (await client.signIn({ email, password, ...(realm ? { realm } : {}) })).answer.session !== null;

describe('a forgotten password', () => {
  test('is chosen anew by a link that works once; the newest alone works, and every session ends', async () => {
    const before = await client.enter({ email: 'wren@kestrel.example' });
    for (let i = 0; i < 5; i += 1) await signsIn('wren@kestrel.example', 'I do not remember');
    expect(await doors.requestReset('Wren@kestrel.example')).toEqual(FINE);
    const older = await lastToken(trial.mails('wren@kestrel.example'));
    await doors.requestReset('wren@kestrel.example');
    const mail = (await trial.mails('wren@kestrel.example')).at(-1);
    const token = tokenIn(mail);
    expect(mail?.links).toEqual([`http://localhost:4000/reset-password#${token}`]);
    expect(await doors.reset(older, NEW)).toEqual(DEAD);
    expect(await doors.reset(token, 'short')).toEqual(refused('A password has 12 to 128 characters.', 'password'));
    expect(await doors.reset(token, trial.password)).toEqual(refused('This is your present password.', 'password'));
    expect(await doors.reset(token, NEW)).toEqual(FINE);
    expect(await doors.reset(token, NEW)).toEqual(DEAD);
    expect((await client.refresh(before.tokens.refreshToken)).answer.session).toBeNull();
    const [ended] = await trial.sql('select end_reason from identity.session where id = $1', [before.tokens.sessionId]);
    expect(ended).toEqual({ end_reason: 'PASSWORD_CHANGED' });
    expect(await signsIn('wren@kestrel.example', NEW)).toBe(true);
    expect(await signsIn('wren@kestrel.example', trial.password)).toBe(false);
  });

  test('is answered alike and as fast for a mail nobody has, which gets none', async () => {
    const times: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] };
    const people = ['ada@kestrel.example', 'milo@kestrel.example', 'jonas@northwind.example', 'chidi@harbour.example'];
    for (let i = 0; i < 24; i += 1) {
      const sort = i % 2 === 0 ? 'known' : 'unknown';
      const startedAt = performance.now();
      const email = sort === 'known' ? String(people[(i / 2) % 4]) : `nobody${i}@kestrel.example`;
      expect(await doors.requestReset(email)).toEqual(FINE);
      times[sort].push(performance.now() - startedAt);
    }
    // What is least is the work itself; whatever else the machine does only adds to it.
    expect(Math.abs(Math.min(...times.known) - Math.min(...times.unknown))).toBeLessThan(10);
    const to = (await trial.mails()).map((mail) => mail.to);
    expect(to.filter((one) => one.startsWith('nobody'))).toEqual([]);
    expect(to.filter((one) => one === 'ada@kestrel.example')).toHaveLength(3); // an hour
  });

  test('of a subscriber at one provider leaves their account at another as it is', async () => {
    await doors.requestReset('mara@northwind.example', 'northwind');
    const token = await lastToken(trial.mails('mara@northwind.example'));
    expect(await doors.reset(token, 'northwind')).toEqual(refused('A password has 10 to 128 characters.', 'password'));
    expect(await doors.reset(token, 'ten-chars!')).toEqual(FINE);
    expect(await signsIn('mara@northwind.example', 'ten-chars!', 'northwind')).toBe(true);
    expect(await signsIn('mara@northwind.example', trial.password, 'atlas')).toBe(true);
  });

  test('of a subscriber leaves the account they have as staff by the same mail, and the other way round', async () => {
    const email = 'piet@northwind.example';
    const work = await client.enter({ email });
    const samira = envelopeOf('Samira Haddad');
    await trial.mails(); // what billing told of its customers has arrived
    const given = await trial.ask(
      { ...samira, features: {} },
      'mutation($input: PortalAccessInput!) { givePortalAccess(input: $input) { membership { id } userErrors { message } } }',
      { input: { customerId: envelopeOf('Lena Spaet').customerId, email, displayName: 'Piet Claasen' } },
    );
    expect(given.data?.givePortalAccess).toMatchObject({ userErrors: [] });
    await doors.activate({ token: await lastToken(trial.mails(email)), password: 'first of the portal' });
    const home = await client.enter({ email, realm: 'northwind', password: 'first of the portal' });
    expect(home.envelope.caller?.id).not.toBe(work.envelope.caller?.id);

    await doors.requestReset(email, 'northwind');
    expect(await doors.reset(await lastToken(trial.mails(email)), 'second of the portal')).toEqual(FINE);
    expect((await client.refresh(home.tokens.refreshToken)).answer.session).toBeNull();
    expect(await signsIn(email, 'second of the portal', 'northwind')).toBe(true);
    expect(await signsIn(email, 'second of the portal')).toBe(false);
    expect(await signsIn(email, trial.password)).toBe(true);
    const { answer } = await client.refresh(work.tokens.refreshToken);
    expect(answer.session).not.toBeNull();

    await doors.requestReset(email);
    expect(await doors.reset(await lastToken(trial.mails(email)), 'second of the work')).toEqual(FINE);
    expect((await client.refresh(answer.session?.refreshToken ?? null)).answer.session).toBeNull();
    expect(await signsIn(email, 'second of the work')).toBe(true);
    expect(await signsIn(email, 'second of the work', 'northwind')).toBe(false);
    expect(await signsIn(email, 'second of the portal', 'northwind')).toBe(true);
  });

  test('leaves the second factor, which is asked for at the next sign-in', async () => {
    await doors.requestReset('ngozi@platform.example');
    expect(await doors.reset(await lastToken(trial.mails('ngozi@platform.example')), NEW)).toEqual(FINE);
    const { answer } = await client.signIn({ email: 'ngozi@platform.example', password: NEW });
    expect(answer).toMatchObject({ session: null, userErrors: [] });
  });

  test('of a realm that is no text is bad input', async () => {
    await expect(doors.requestReset('mara@northwind.example', 'north\0')).rejects.toMatchObject({
      extensions: { code: 'BAD_USER_INPUT' },
    });
  });

  test('link that is too old, of another purpose or made up does nothing', async () => {
    await doors.requestReset('nils@northwind.example');
    const token = await lastToken(trial.mails('nils@northwind.example'));
    expect((await doors.prove(token)).userErrors).toEqual(DEAD.userErrors);
    expect((await doors.activate({ token })).userErrors).toEqual(DEAD.userErrors);
    await trial.sql("update identity.mail_proof set expires_at = now() - interval '1 second'");
    for (const dead of [token, 'isp_mp_x', '', `isp_mp_${'A'.repeat(43)}`])
      expect(await doors.reset(dead, NEW)).toEqual(DEAD);
  });

  test('brought twice at once wins once', async () => {
    await doors.requestReset('bruno@atlas.example');
    const token = await lastToken(trial.mails('bruno@atlas.example'));
    const answers = await Promise.all(['first password !', 'second password !'].map((one) => doors.reset(token, one)));
    expect(answers.filter(({ isDone }) => isDone)).toHaveLength(1);
  });

  test('is not given to whom the platform has suspended', async () => {
    const platform = doorsOf(trial, envelopeOf('Ngozi Adeyemi'));
    const [ewa] = await trial.sql("select id from identity.user where email = 'ewa@oldtown.example'");
    expect(await platform.suspend(ewa.id)).toEqual(FINE);
    expect(await doors.requestReset('ewa@oldtown.example')).toEqual(FINE);
    expect(await trial.mails('ewa@oldtown.example')).toEqual([]);
    expect(await signsIn('ewa@oldtown.example', trial.password)).toBe(false);
    expect(await platform.restore(ewa.id)).toEqual(FINE);
    expect(await signsIn('ewa@oldtown.example', trial.password)).toBe(true);
  });
});

describe('suspending a person', () => {
  test('is the platform’s alone, with a reason and a fresh proof, and never of oneself', async () => {
    const [rosa] = await trial.sql("select id from identity.user where email = 'rosa@sable.example'");
    const tenantAdmin = doorsOf(trial, envelopeOf('Ingrid Solberg'));
    await expect(tenantAdmin.suspend(rosa.id)).rejects.toMatchObject({ extensions: { code: 'FORBIDDEN' } });
    const stale = doorsOf(trial, { ...envelopeOf('Ngozi Adeyemi'), strongAt: 1 });
    await expect(stale.suspend(rosa.id)).rejects.toMatchObject({ extensions: { reason: 'STEP_UP' } });
    const ngozi = envelopeOf('Ngozi Adeyemi');
    const platform = doorsOf(trial, ngozi);
    expect(await platform.suspend(rosa.id, 'no')).toEqual(refused('A reason has 5 to 200 characters.', 'reason'));
    expect(await platform.suspend(String(ngozi.caller?.id))).toEqual(
      refused('Nobody suspends themselves.', 'userId', 'INVALID_STATE'),
    );
    expect(await platform.suspend('01990000-0000-7000-8000-000000009999')).toEqual(
      refused('There is no such person.', 'userId', 'NOT_FOUND'),
    );
    expect(await platform.restore(rosa.id)).toEqual(
      refused('This person is not suspended.', 'userId', 'INVALID_STATE'),
    );
  });
});
