import { createPublicKey } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { hash } from '@node-rs/argon2';
import { verifyAccessToken } from '../../subgraphs/_kernel/access-token.ts';
import { PLATFORM_TENANT } from '../../subgraphs/_kernel/db.ts';
import { seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { clientOf, GATEWAY, openTrial, type Tokens, type Trial, tenantId } from './trial.ts';

let trial: Trial;
let client: ReturnType<typeof clientOf>;
beforeAll(async () => {
  trial = await openTrial();
  client = clientOf(trial);
}, 60_000);
afterAll(() => trial?.close());

const WRONG = {
  session: null,
  challenge: null,
  tenants: [],
  userErrors: [{ code: 'INVALID', message: 'E-mail or password is not right.', field: null }],
};
const outcomesOf = async (userId: string) => {
  const rows = await trial.sql(
    'select outcome, count(*)::int from identity.sign_in_record where user_id = $1 group by 1',
    [userId],
  );
  return Object.fromEntries(rows.map(({ outcome, count }) => [outcome, count]));
};

describe('Signing in', () => {
  test('gives tokens for one’s tenant; the access token says who, where and how, and nothing else', async () => {
    const { answer } = await client.signIn({ email: ' Wren@Kestrel.example ' }, { address: '192.0.2.7' });
    const { accessToken, sessionId, tenant } = answer.session as Tokens;
    expect(answer.userErrors).toEqual([]);
    expect(tenant).toEqual({ slug: 'kestrel' });
    const { data } = await trial.ask(GATEWAY, '{ tokenKeys { kid publicKey state } }');
    const [key] = data?.tokenKeys as { kid: string; publicKey: string; state: string }[];
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: key?.publicKey }, format: 'jwk' });
    const { claims } = verifyAccessToken(accessToken, (kid) => (kid === key?.kid ? publicKey : undefined), {
      issuer: trial.config.PUBLIC_URL,
      now: Date.now(),
    });
    expect(claims).toMatchObject({
      sub: seedId('6011'),
      sid: sessionId,
      tid: tenantId('kestrel'),
      mid: seedId('60110001'),
      mv: 1,
      kind: 'STAFF',
    });
    expect(Number(claims?.exp) - Number(claims?.iat)).toBe(300);
    expect(claims?.strong).toBe(claims?.iat);
    expect(Object.keys(claims ?? {}).sort()).toEqual([
      'aud',
      'exp',
      'iat',
      'iss',
      'jti',
      'kind',
      'mid',
      'mv',
      'sid',
      'strong',
      'sub',
      'tid',
    ]);
  });

  test('leaves a session, a record and an event in the tenant’s log, under the name of who signed in', async () => {
    const { answer } = await client.signIn({ email: 'milo@kestrel.example' }, { address: '192.0.2.8' });
    const id = answer.session?.sessionId;
    const [session] = await trial.sql('select * from identity.session where id = $1', [id]);
    expect(session).toMatchObject({
      home_id: tenantId('kestrel'),
      methods: ['PWD'],
      generation: 1,
      transport: 'BODY',
      address: '192.0.2.8',
    });
    expect(
      await trial.sql('select outcome, home_id, address from identity.sign_in_record where session_id = $1', [id]),
    ).toEqual([{ outcome: 'OK', home_id: tenantId('kestrel'), address: '192.0.2.8' }]);
    expect(
      await trial.sql(
        "select tenant_id, actor, payload from kernel.event where name = 'identity.session.started' and payload ->> 'sessionId' = $1",
        [id],
      ),
    ).toEqual([
      {
        tenant_id: tenantId('kestrel'),
        actor: seedId('6013'),
        payload: { sessionId: id, membershipId: seedId('60130001'), methods: ['PWD'] },
      },
    ]);
  });

  test('by cookie keeps the refresh token out of the answer', async () => {
    const { answer, extensions } = await client.signIn({ email: 'milo@kestrel.example', transport: 'COOKIE' });
    expect(answer.session?.refreshToken).toBeNull();
    expect(extensions?.reply).toEqual({
      refreshCookie: { value: expect.stringMatching(/^isp_rt_/), maxAgeSeconds: 480 * 60 },
    });
  });

  test('no refresh token, password or mail lies in the database beside the people themselves', async () => {
    const { answer } = await client.signIn({ email: 'milo@kestrel.example' });
    const tables = await trial.sql(
      "select table_schema || '.' || table_name as name from information_schema.tables where table_schema in ('identity', 'kernel')",
    );
    for (const { name } of tables) {
      const [row] = await trial.sql(`select count(*)::int as n from ${name} t where t::text like any ($1)`, [
        [`%${answer.session?.refreshToken?.slice(42)}%`, `%${trial.password}%`],
      ]);
      expect([name, row?.n]).toEqual([name, 0]);
    }
    const [records] = await trial.sql(
      "select count(*)::int as n from identity.sign_in_record r where r::text like '%@%'",
    );
    expect(records?.n).toBe(0);
  });

  test('the eleventh session ends the one unused longest', async () => {
    const first = await client.signIn({ email: 'nils@northwind.example' });
    for (let i = 0; i < 10; i += 1) await client.signIn({ email: 'nils@northwind.example' });
    const rows = await trial.sql(
      'select id, end_reason from identity.session where user_id = $1 and end_reason is not null',
      [seedId('6025')],
    );
    expect(rows).toEqual([{ id: first.answer.session?.sessionId, end_reason: 'TOO_MANY' }]);
  });

  test('a hash made with less work is renewed on the way in', async () => {
    const weak = await hash(trial.password, { memoryCost: 8_192, timeCost: 1, parallelism: 1 });
    await trial.sql('update identity.credential set hash = $1 where user_id = $2', [weak, seedId('6061')]);
    expect((await client.signIn({ email: 'ewa@oldtown.example' })).answer.session).not.toBeNull();
    const [row] = await trial.sql('select hash from identity.credential where user_id = $1', [seedId('6061')]);
    expect(row?.hash).toMatch(/^\$argon2id\$v=19\$m=65536,t=3,p=1\$/);
    expect((await client.signIn({ email: 'ewa@oldtown.example' })).answer.session).not.toBeNull();
  });
});

describe('A wrong sign-in', () => {
  test('gets the same answer, letter for letter, whatever is wrong', async () => {
    await trial.sql("update identity.user set state = 'SUSPENDED' where id = $1", [seedId('6022')]);
    await trial.sql('delete from identity.credential where user_id = $1', [seedId('6027')]);
    const tries = [
      { email: 'ingrid@northwind.example', password: 'not her password' },
      { email: 'ingrid@northwind.example', password: 'x'.repeat(600) },
      { email: 'nobody@northwind.example' },
      { email: 'no mail at all' },
      { email: 'jonas@northwind.example' }, // suspended
      { email: 'piet@northwind.example' }, // has no password
      { email: 'ingrid@northwind.example', realm: 'northwind' }, // staff is not in an ISP's realm
      { email: 'lena@northwind.example' }, // nor are its subscribers among staff
      { email: 'lena@northwind.example', realm: 'nowhere' },
    ];
    for (const input of tries) expect((await client.signIn(input)).answer).toEqual(WRONG);
    await trial.sql("update identity.user set state = 'ACTIVE' where id = $1", [seedId('6022')]);
  });

  test('two hundred at once: all hear the same, five are hashed, and then the right one is refused for a quarter of an hour', async () => {
    const ada = { email: 'ada@kestrel.example' };
    const guess = async () => {
      for (;;) {
        const heard = await client.signIn({ ...ada, password: 'guess' }, { address: '198.51.100.1' });
        if (heard.errors?.[0]?.extensions?.code !== 'OVERLOADED') return heard;
        await sleep(100); // not all of them can wait to be hashed
      }
    };
    const answers = await Promise.all(Array.from({ length: 200 }, guess));
    for (const { answer, errors } of answers) expect([answer, errors]).toEqual([WRONG, undefined]);
    const { BAD_SECRET = 0, LOCKED = 0, ...others } = await outcomesOf(seedId('6012'));
    expect([BAD_SECRET, LOCKED, others]).toEqual([5, 195, {}]);
    expect((await client.signIn(ada)).answer).toEqual(WRONG);
    const [locked] = await trial.sql(
      "select payload from kernel.event where tenant_id = $1 and name = 'identity.sign_in.locked' and payload ->> 'userId' = $2",
      [PLATFORM_TENANT, seedId('6012')],
    );
    expect(Date.parse(locked?.payload.lockedUntil) - Date.now()).toBeGreaterThan(14 * 60_000);

    const passes = (minutes: number) =>
      trial.sql(
        'update identity.sign_in_bucket set first_at = first_at - $1::interval, last_at = last_at - $1::interval, locked_until = locked_until - $1::interval where locked_until > now()',
        [`${minutes} minutes`],
      );
    await passes(14);
    expect((await client.signIn(ada)).answer).toEqual(WRONG);
    await passes(1);
    expect((await client.signIn(ada)).answer.session).not.toBeNull();
    expect(
      await trial.sql('select * from identity.sign_in_bucket where locked_until is not null and failures = 5'),
    ).toEqual([]);
  }, 60_000);

  test('an unknown mail is locked like a known one, and recorded under a hash', async () => {
    for (let i = 0; i < 6; i += 1)
      expect((await client.signIn({ email: 'ghost@kestrel.example', password: 'guess' })).answer).toEqual(WRONG);
    const rows = await trial.sql(
      "select mail_hash, outcome, count(*)::int from identity.sign_in_record where user_id is null group by 1, 2 having count(*) >= 5 or outcome = 'LOCKED' order by outcome",
    );
    expect(rows.map(({ outcome, count }) => [outcome, count])).toEqual([
      ['BAD_SECRET', 5],
      ['LOCKED', 1],
    ]);
    expect(rows[0]?.mail_hash).toMatch(/^[\w-]{43}$/);
  });

  test('thirty failures from one network shut it out; its neighbours sign in', async () => {
    for (let i = 0; i < 30; i += 1)
      await client.signIn({ email: `guess${i}@kestrel.example`, password: 'guess' }, { address: '2001:db8:0:1::1' });
    const { answer, errors } = await client.signIn({ email: 'wren@kestrel.example' }, { address: '2001:db8:0:1::2' });
    expect([answer, errors?.[0]?.extensions?.code]).toEqual([undefined, 'RATE_LIMITED']);
    expect(
      (await client.signIn({ email: 'wren@kestrel.example' }, { address: '2001:db8:0:2::1' })).answer.session,
    ).not.toBeNull();
  }, 60_000);

  test.each([
    ['half a letter in the password', { email: 'wren@kestrel.example', password: 'a\ud800' }],
    ['NUL in the mail', { email: 'wren\0@kestrel.example' }],
  ])('%s is bad input', async (_, input) => {
    const { errors } = await client.signIn(input);
    expect(errors?.map(({ extensions }) => extensions?.code)).toEqual(['BAD_USER_INPUT']);
  });

  test.each([
    'role: "tenant_admin"',
    `tenantId: "${tenantId('northwind')}"`,
    'isAdmin: true',
  ])('%s sent beside the input is bad input', async (extra) => {
    const input = `{email: "wren@kestrel.example", password: "${trial.password}", transport: BODY, ${extra}}`;
    const { data, errors } = await trial.ask({}, `mutation { signIn(input: ${input}) { session { sessionId } } }`);
    expect([data, errors?.map(({ extensions }) => extensions?.code)]).toEqual([undefined, ['BAD_USER_INPUT']]);
  });
});

describe('A person of several tenants', () => {
  const edda = { email: 'edda@northwind.example' };

  test('chooses one, names one, or begins where they last were', async () => {
    const { answer: first } = await client.signIn(edda);
    expect(first.session?.tenant).toBeNull();
    expect(first.tenants.map(({ tenant }) => tenant.slug)).toEqual(['northwind', 'harbour']);
    const { answer: named } = await client.signIn({ ...edda, tenant: 'harbour' });
    expect(named.session?.tenant).toEqual({ slug: 'harbour' });
    const { answer: again } = await client.signIn(edda);
    expect(again.session?.tenant).toEqual({ slug: 'harbour' });
  });

  test('is refused at a tenant they do not belong to, the same as at one that does not exist', async () => {
    const { answer: foreign } = await client.signIn({ ...edda, tenant: 'kestrel' });
    const { answer: unknown } = await client.signIn({ ...edda, tenant: 'nowhere' });
    expect(foreign.userErrors).toEqual([
      { code: 'INVALID', message: 'You are no member of this tenant.', field: 'tenant' },
    ]);
    expect(unknown).toEqual(foreign);
    expect((await outcomesOf(seedId('6024'))).NO_TENANT).toBe(2);
  });
});

describe('Subscribers', () => {
  test('one mail at two ISPs is two people, each found by the ISP’s name', async () => {
    const mara = { email: 'mara@northwind.example' };
    const { envelope: here } = await client.enter({ ...mara, realm: 'northwind' });
    const { envelope: there } = await client.enter({ ...mara, realm: 'atlas' });
    expect(here).toMatchObject({
      caller: { id: seedId('6032') },
      tenantId: tenantId('northwind'),
      customerId: seedId('7032'),
    });
    expect(there).toMatchObject({
      caller: { id: seedId('6079') },
      tenantId: tenantId('atlas'),
      customerId: seedId('7079'),
    });
    await trial.sql('update identity.credential set hash = $1 where user_id = $2', [
      await hash('another one'),
      seedId('6079'),
    ]);
    expect((await client.signIn({ ...mara, realm: 'atlas' })).answer).toEqual(WRONG);
    expect((await client.signIn({ ...mara, realm: 'northwind' })).answer.session).not.toBeNull();
  });

  test('stay signed in for a month of rest', async () => {
    const { answer } = await client.signIn({ email: 'marcus@kestrel.example', realm: 'kestrel' });
    const days = (Date.parse(String(answer.session?.refreshExpiresAt)) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(29.9);
    expect(days).toBeLessThan(30.1);
  });
});

test('In a suspended tenant only its administrator and its billing manager sign in', async () => {
  const suspend = (state: string) =>
    trial.sql('update kernel.tenant_profile set state = $1 where slug = $2', [state, 'northwind']);
  await suspend('SUSPENDED');
  try {
    expect((await client.signIn({ email: 'samira@northwind.example' })).answer.userErrors).toEqual([
      { code: 'INVALID_STATE', message: 'This tenant is suspended. Its administrators can sign in.', field: 'tenant' },
    ]);
    for (const email of ['ingrid@northwind.example', 'mira@northwind.example'])
      expect((await client.signIn({ email })).answer.session?.tenant).toEqual({ slug: 'northwind' });
    expect((await client.signIn({ email: 'edda@northwind.example' })).answer.session?.tenant).toEqual({
      slug: 'harbour',
    });
  } finally {
    await suspend('ACTIVE');
  }
  expect((await client.signIn({ email: 'samira@northwind.example' })).answer.session?.tenant).toEqual({
    slug: 'northwind',
  });
});

test('A sandbox that moved its clock gives tokens that live by the true time', async () => {
  await trial.sql("update kernel.tenant_profile set clock_offset_seconds = 86400 * 90 where slug = 'fable'");
  const { answer } = await client.signIn({ email: 'fen@fable.example' });
  expect(Math.abs(Date.parse(String(answer.session?.expiresAt)) - Date.now() - 300_000)).toBeLessThan(5_000);
});
