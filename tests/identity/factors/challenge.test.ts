import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { seedId, seedTotpSecret } from '../../../subgraphs/_kernel/seed-world.ts';
import { afterFirstProof } from '../../../subgraphs/identity/factors/first-proof.service.ts';
import { codeAt } from '../../../subgraphs/identity/factors/totp.rules.ts';
import { User } from '../../../subgraphs/identity/user.entity.ts';
import { earlyInStep } from '../../setup/codes.ts';
import { clientOf, openTrial, type SignInAnswer, type Trial } from '../trial.ts';

let trial: Trial;
let client: ReturnType<typeof clientOf>;
const NGOZI = { email: 'ngozi@platform.example' };
const ID = seedId('6001');
const NOT_RIGHT = [{ code: 'INVALID', message: 'This code is not right.', field: 'code' }];
const START_AGAIN = [{ code: 'INVALID', message: 'Please start again.', field: 'token' }];

/** The code of a step, counted from the present one. */
const codeOf = (steps: number) => codeAt(seedTotpSecret(trial.password, ID), new Date(Date.now() + steps * 30_000));
const started = async () => {
  const { answer } = await client.signIn(NGOZI);
  return String(answer.challenge?.token);
};
const answer = async (token: string, given: object) => (await client.answer(token, given)).answer;
const sessions = () => trial.sql('select id from identity.session where user_id = $1', [ID]);
const failures = (answers: readonly SignInAnswer[]) => answers.map(({ userErrors }) => userErrors[0]?.message);

beforeAll(async () => {
  trial = await openTrial();
  client = clientOf(trial);
}, 120_000);
afterEach(async () => {
  await trial.sql('delete from identity.sign_in_bucket');
  await trial.sql('update identity.second_factor set last_step = null');
});
beforeEach(() => earlyInStep(), 15_000);
afterAll(() => trial.close());

describe('Signing in with a second factor', () => {
  test('a right password gives a challenge and no session, token or event', async () => {
    const before = await trial.sql("select count(*) from kernel.event where name like 'identity.%'");
    const { answer: first, extensions } = await client.signIn({ ...NGOZI, transport: 'COOKIE' });
    expect(first).toMatchObject({ session: null, tenants: [], userErrors: [] });
    expect(first.challenge).toMatchObject({ methods: ['OTP'], passkeyOptions: null });
    expect(extensions?.reply).toBeUndefined(); // no cookie either
    expect(await sessions()).toEqual([]);
    expect(await trial.sql("select count(*) from kernel.event where name like 'identity.%'")).toEqual(before);
  });

  test('a right code opens the session, which knows both proofs and is strong', async () => {
    const done = await answer(await started(), { code: codeOf(0) });
    expect(done.userErrors).toEqual([]);
    const id = done.session?.sessionId;
    const [session] = await trial.sql('select methods, strong_at from identity.session where id = $1', [id]);
    expect(session).toEqual({ methods: ['PWD', 'OTP'], strong_at: expect.any(Date) });
    const [event] = await trial.sql(
      "select payload from kernel.event where name = 'identity.session.started' and payload ->> 'sessionId' = $1",
      [id],
    );
    expect(event.payload.methods).toEqual(['PWD', 'OTP']);
  });

  test('the same code over six challenges at once lets one in', async () => {
    const tokens: string[] = [];
    for (let i = 0; i < 6; i += 1) tokens.push(await started());
    const code = codeOf(0);
    const answers = await Promise.all(tokens.map((token) => answer(token, { code })));
    expect(answers.filter(({ session }) => session !== null)).toHaveLength(1);
    expect(failures(answers).filter((message) => message === 'This code is not right.')).toHaveLength(5);
  });

  test('twenty times the same code lets one in', async () => {
    const tokens: string[] = [];
    for (let i = 0; i < 4; i += 1) tokens.push(await started());
    const code = codeOf(0);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => answer(String(tokens[i % 4]), { code })));
    expect(answers.filter((one) => one?.session)).toHaveLength(1); // under load some may be told to come back
  });

  test('a code is good one step off either way, not two, and never again once it or a later one was used', async () => {
    expect(failures([await answer(await started(), { code: codeOf(2) })])).toEqual(['This code is not right.']);
    expect(failures([await answer(await started(), { code: codeOf(-2) })])).toEqual(['This code is not right.']);
    expect((await answer(await started(), { code: codeOf(0) })).session).not.toBeNull();
    for (const steps of [0, -1])
      expect((await answer(await started(), { code: codeOf(steps) })).userErrors).toEqual(NOT_RIGHT);
    expect((await answer(await started(), { code: codeOf(1) })).session).not.toBeNull();
  });

  test('the sixth try at a challenge is refused, and a used or foreign token as well', async () => {
    const token = await started();
    for (let i = 0; i < 5; i += 1) expect((await answer(token, { code: '000000' })).userErrors).toEqual(NOT_RIGHT);
    expect((await answer(token, { code: codeOf(0) })).userErrors).toEqual(START_AGAIN);
    const used = await started();
    await answer(used, { code: codeOf(0) });
    for (const other of [used, 'isp_ch_junk', `isp_ch_${'A'.repeat(43)}`, ''])
      expect((await answer(other, { code: codeOf(1) })).userErrors).toEqual(START_AGAIN);
  });

  test('a challenge is over after five minutes', async () => {
    const token = await started();
    await trial.sql("update identity.challenge set expires_at = expires_at - interval '5 minutes'");
    expect((await answer(token, { code: codeOf(0) })).userErrors).toEqual(START_AGAIN);
  });

  test('ten wrong codes in an hour, over all challenges, lock codes for a quarter of an hour', async () => {
    for (let i = 0; i < 10; i += 1) expect((await answer(await started(), { code: '000000' })).session).toBeNull();
    const locked = await answer(await started(), { code: codeOf(0) });
    expect(locked.userErrors).toMatchObject([{ code: 'LIMIT_REACHED', field: 'code' }]);
    await trial.sql("update identity.sign_in_bucket set locked_until = locked_until - interval '15 minutes'");
    expect((await answer(await started(), { code: codeOf(0) })).session).not.toBeNull();
  });

  test('it is asked for after another provider’s proof too, unless that one vouches for a second factor', async () => {
    const ctx = await trial.system('platform');
    const user = await (await ctx.em()).findOneOrFail(User, { id: ID });
    const proof = { user, methods: ['OAUTH'] as const, transport: 'BODY' as const, settle: async () => undefined };
    const before = await sessions();
    const asked = await afterFirstProof(ctx, proof);
    expect([asked.session, asked.challenge?.methods]).toEqual([null, ['OTP']]);
    expect(await sessions()).toEqual(before);
    const done = await answer(String(asked.challenge?.token), { code: codeOf(0) });
    const vouched = await afterFirstProof(ctx, { ...proof, methods: ['SSO'], assertsSecondFactor: true });
    const rows = await trial.sql(
      'select methods, strong_at is not null as strong from identity.session where id = any($1)',
      [[done.session?.sessionId, vouched.session?.sessionId]],
    );
    expect(rows).toHaveLength(2);
    expect(rows).toContainEqual({ methods: ['OAUTH', 'OTP'], strong: true });
    expect(rows).toContainEqual({ methods: ['SSO', 'OTP'], strong: false });
  });

  test('wrong and locked codes are written down, and no code with them', async () => {
    const outcomes = await trial.sql(
      "select outcome, method, count(*)::int from identity.sign_in_record where user_id = $1 and method <> 'PWD' and outcome <> 'OK' group by 1, 2 order by 1",
      [ID],
    );
    expect(outcomes).toEqual([
      { outcome: 'BAD_FACTOR', method: 'OTP', count: expect.any(Number) },
      { outcome: 'LOCKED', method: 'OTP', count: expect.any(Number) },
    ]);
  });

  test.each([
    {},
    { code: '123456', recoveryCode: 'ABCDEFGHIJ' },
    { code: 'a\u0000b' },
  ])('an answer %j is no answer', async (given) => {
    const { errors } = await client.answer(await started(), given);
    expect(errors?.[0]?.extensions?.code).toBe('BAD_USER_INPUT');
  });
});
