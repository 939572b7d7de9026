import { seedId } from '../../../subgraphs/_kernel/seed-world.ts';
import { clientOf, envelopeOf, openTrial, type Tokens, type Trial } from '../trial.ts';
import { DEAD, doorsOf, FINE, lastToken } from './accounts.ts';

let trial: Trial;
let doors: ReturnType<typeof doorsOf>;
let client: ReturnType<typeof clientOf>;
beforeAll(async () => {
  trial = await openTrial();
  doors = doorsOf(trial);
  client = clientOf(trial);
});
afterAll(() => trial?.close());

const SIGN_IN =
  'mutation($input: SignInInput!) { signIn(input: $input) { session { sessionId deviceMark } userErrors { message } } }';

async function signIn(email: string, password: string, deviceMark?: string, address?: string) {
  const input = { email, password, transport: 'BODY', ...(deviceMark ? { deviceMark } : {}) };
  const { data, errors } = await trial.ask(address ? { address } : {}, SIGN_IN, { input });
  if (errors) throw new Error(errors[0]?.message);
  return data?.signIn as { session: (Tokens & { deviceMark: string }) | null; userErrors: { message: string }[] };
}

describe('a known device', () => {
  test('goes on signing in while strangers have locked the account, and is locked on its own', async () => {
    const wren = 'wren@kestrel.example';
    const mark = String((await signIn(wren, trial.password)).session?.deviceMark);
    for (let i = 0; i < 6; i += 1) await signIn(wren, 'a guess of theirs');
    expect((await signIn(wren, trial.password)).session).toBeNull();
    expect((await signIn(wren, trial.password, mark)).session).not.toBeNull();
    expect((await signIn(wren, trial.password)).session).toBeNull(); // for strangers it stays locked
    for (let i = 0; i < 5; i += 1) expect((await signIn(wren, 'a guess of mine', mark)).session).toBeNull();
    expect((await signIn(wren, trial.password, mark)).session).toBeNull();
  });

  test('is none with the mark of somebody else, or a made-up one', async () => {
    const ada = 'ada@kestrel.example';
    const milos = String((await signIn('milo@kestrel.example', trial.password)).session?.deviceMark);
    for (let i = 0; i < 5; i += 1) await signIn(ada, 'a guess of theirs');
    for (const mark of [milos, `isp_dv_${'0'.repeat(32)}.${'A'.repeat(43)}`, 'x'])
      expect((await signIn(ada, trial.password, mark)).session).toBeNull();
  });

  test('of a lock is mailed once, with the link that locks the account', async () => {
    const mails = (await trial.mails('ada@kestrel.example')).filter(({ subject }) => /locked/.test(subject));
    expect(mails).toHaveLength(1);
    expect(mails[0]?.links[0]).toMatch(/\/lock-account#isp_lk_/);
  });
});

describe('a password that proves right somewhere new', () => {
  const subjects = async (to: string) => (await trial.mails(to)).map(({ subject }) => subject);

  test('is told to its owner, not the first time, not in a known network and not on a known device', async () => {
    const chidi = 'chidi@harbour.example';
    const first = await signIn(chidi, trial.password, undefined, '203.0.113.7');
    await signIn(chidi, trial.password, undefined, '203.0.113.99');
    await signIn(chidi, trial.password, first.session?.deviceMark, '198.51.100.1');
    expect(await subjects(chidi)).toEqual([]);
    await signIn(chidi, trial.password, undefined, '192.0.2.1');
    expect(await subjects(chidi)).toEqual(['A new sign-in to your account']);
  });

  test('locks the account by its mail until a new password is set; the warning’s link is dead then', async () => {
    const chidi = 'chidi@harbour.example';
    const session = await signIn(chidi, trial.password, undefined, '192.0.2.1');
    const token = await lastToken(trial.mails(chidi));
    expect(await doors.lock(token)).toEqual(FINE);
    expect(await doors.lock(token)).toEqual(FINE);
    const [row] = await trial.sql('select end_reason from identity.session where id = $1', [
      session.session?.sessionId,
    ]);
    expect(row).toEqual({ end_reason: 'USER_SUSPENDED' });
    expect((await signIn(chidi, trial.password)).session).toBeNull();
    await doors.requestReset(chidi);
    expect(await doors.reset(await lastToken(trial.mails(chidi)), 'mine alone from now on')).toEqual(FINE);
    expect((await signIn(chidi, 'mine alone from now on')).session).not.toBeNull();
    for (const dead of [token, token.replace(/.$/, token.endsWith('A') ? 'B' : 'A'), 'isp_lk_x', ''])
      expect(await doors.lock(dead)).toEqual(DEAD);
  });

  test('of a locked account the platform can open, or keep shut against its owner', async () => {
    const platform = doorsOf(trial, envelopeOf('Ngozi Adeyemi'));
    await signIn('bruno@atlas.example', trial.password);
    await signIn('bruno@atlas.example', trial.password);
    const token = await lastToken(trial.mails('bruno@atlas.example'));
    await doors.lock(token);
    expect(await platform.restore(seedId('6071'))).toEqual(FINE);
    expect((await signIn('bruno@atlas.example', trial.password)).session).not.toBeNull();
    await doors.lock(token);
    expect(await platform.suspend(seedId('6071'))).toEqual(FINE);
    const before = (await trial.mails('bruno@atlas.example')).length;
    expect(await doors.requestReset('bruno@atlas.example')).toEqual(FINE);
    expect(await trial.mails('bruno@atlas.example')).toHaveLength(before);
  });

  test('and a refresh token used twice is told as well', async () => {
    const { answer } = await client.signIn({ email: 'samira@northwind.example' });
    const stolen = String(answer.session?.refreshToken);
    await client.refresh((await client.refresh(stolen)).answer.session?.refreshToken ?? null);
    await client.refresh(stolen);
    expect(await subjects('samira@northwind.example')).toEqual(['One of your sessions was ended']);
  });
});

test('People read their own attempts to sign in, an administrator those to their tenant', async () => {
  const query = '{ mySignIns(first: 3) { nodes { outcome method address at } pageInfo { hasNextPage } } }';
  await signIn('rosa@sable.example', trial.password).catch(() => null);
  await signIn('ingrid@northwind.example', 'a wrong password', undefined, '203.0.113.7');
  const { envelope } = await client.enter({ email: 'ingrid@northwind.example' });
  const { data } = await trial.ask(envelope, query);
  const mine = data?.mySignIns as { nodes: object[] };
  expect(mine.nodes).toMatchObject([
    { outcome: 'OK', method: 'PWD', address: null },
    { outcome: 'BAD_SECRET', method: 'PWD', address: '203.0.113.7' },
  ]);
  const list = '{ signIns(filter: { outcome: OK }) { nodes { outcome user { id displayName } } } }';
  const { data: theirs } = await trial.ask(envelope, list);
  const seen = (theirs?.signIns as { nodes: { user: { displayName: string } | null }[] }).nodes;
  expect(new Set(seen.map(({ user }) => user?.displayName))).toEqual(new Set(['Ingrid Solberg', 'Samira Haddad']));
  const refused = await trial.ask(envelopeOf('Samira Haddad'), list);
  expect(refused.errors?.[0]?.extensions?.code).toBe('FORBIDDEN');
  expect((await trial.ask({}, query)).errors?.[0]?.extensions?.code).toBe('UNAUTHENTICATED');
});

test('How one signs in is told to anybody, thirty times a minute, and tells nothing of an account', async () => {
  const ask = (email: string, address?: string) =>
    trial.ask(address ? { address } : {}, 'query($email: String) { signInMethods(email: $email) { methods } }', {
      email,
    });
  expect(await ask('wren@kestrel.example')).toEqual(await ask('nobody@kestrel.example'));
  for (let i = 0; i < 30; i += 1) expect((await ask('a@b.example', '203.0.113.50')).errors).toBeUndefined();
  expect((await ask('a@b.example', '203.0.113.50')).errors?.[0]?.extensions?.code).toBe('RATE_LIMITED');
});
