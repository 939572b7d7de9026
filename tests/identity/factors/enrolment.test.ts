import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ScureBase32Plugin } from 'otplib';
import { seedId } from '../../../subgraphs/_kernel/seed-world.ts';
import type { Envelope } from '../../../subgraphs/_kernel/signed-context.ts';
import { codeAt } from '../../../subgraphs/identity/factors/totp.rules.ts';
import { earlyInStep } from '../../setup/codes.ts';
import { clientOf, openTrial, type Tokens, type Trial } from '../trial.ts';

let trial: Trial;
let client: ReturnType<typeof clientOf>;

beforeAll(async () => {
  trial = await openTrial();
  client = clientOf(trial);
}, 120_000);
beforeEach(() => earlyInStep(), 15_000);
afterAll(() => trial.close());

const secretOf = (text: string) => Buffer.from(new ScureBase32Plugin().decode(text));
const codeOf = (secret: Buffer, steps = 0) => codeAt(secret, new Date(Date.now() + steps * 30_000));
const PAYLOADS = {
  enrolTotp: '{ enrolTotp { secret uri userErrors { code message } } }',
  removeTotp: '{ removeTotp { isDone userErrors { code message } } }',
  renewRecoveryCodes: '{ renewRecoveryCodes { recoveryCodes userErrors { code message } } }',
};
const run = (who: Partial<Envelope>, door: keyof typeof PAYLOADS) => trial.ask(who, `mutation ${PAYLOADS[door]}`);
const confirm = (who: Partial<Envelope>, code: string) =>
  trial.ask(
    who,
    'mutation($input: CodeInput!) { confirmTotp(input: $input) { recoveryCodes userErrors { code message field } } }',
    { input: { code } },
  );
/** Gives somebody an app, as they would do it; answers its secret and the recovery codes. */
async function enrol(who: Partial<Envelope>) {
  const { data } = await run(who, 'enrolTotp');
  const secret = secretOf(String((data?.enrolTotp as { secret: string }).secret));
  const confirmed = await confirm(who, codeOf(secret, -1));
  return { secret, codes: (confirmed.data?.confirmTotp as { recoveryCodes: string[] }).recoveryCodes };
}

describe('Enrolling an authenticator app', () => {
  test('shows a secret and an address for a QR code, which count for nothing before a right code', async () => {
    const { envelope } = await client.enter({ email: 'ada@kestrel.example' });
    const { data } = await run(envelope, 'enrolTotp');
    const { secret, uri } = data?.enrolTotp as { secret: string; uri: string };
    expect(uri).toBe(`otpauth://totp/DotMac:ada%40kestrel.example?secret=${secret}&issuer=DotMac`);
    expect((await confirm(envelope, '000000')).data).toMatchObject({
      confirmTotp: { recoveryCodes: null, userErrors: [{ message: 'This code is not right.' }] },
    });
    expect((await client.signIn({ email: 'ada@kestrel.example' })).answer.challenge).toBeNull();
  });

  test('after a right code it is asked for, other sessions have ended, and ten recovery codes are shown once', async () => {
    const email = 'milo@kestrel.example';
    const other = await client.enter({ email });
    const { envelope, tokens } = await client.enter({ email });
    const { secret, codes } = await enrol(envelope);
    expect(codes).toHaveLength(10);
    for (const code of codes) expect(code).toMatch(/^[A-Z2-7]{10}$/);
    expect(await client.seenBy(tokens)).toMatchObject({ proofs: ['OTP'] });
    const ends = await trial.sql('select id, end_reason from identity.session where id = any($1)', [
      [tokens.sessionId, other.tokens.sessionId],
    ]);
    expect(Object.fromEntries(ends.map((row) => [row.id, row.end_reason]))).toEqual({
      [tokens.sessionId]: null,
      [other.tokens.sessionId]: 'FACTOR_CHANGED',
    });
    const { answer } = await client.signIn({ email });
    expect(answer.challenge?.methods).toEqual(['OTP', 'REC']);
    const replayed = await client.answer(String(answer.challenge?.token), { code: codeOf(secret, -1) });
    expect(replayed.answer.userErrors).toMatchObject([{ message: 'This code is not right.' }]); // it confirmed the app
    const done = await client.answer(String(answer.challenge?.token), { code: codeOf(secret) });
    expect(done.answer.session).not.toBeNull();
    const names = await trial.sql(
      "select name, tenant_id from kernel.event where name like 'identity.second_factor.%' and payload ->> 'userId' = $1",
      [seedId('6013')],
    );
    expect(names).toEqual([{ name: 'identity.second_factor.enrolled', tenant_id: seedId('0a01') }]);
    const kept = await trial.sql(
      'select sealed::text from identity.second_factor union all select hash from identity.recovery_code',
    );
    for (const { sealed } of kept)
      for (const plain of [...codes, secret.toString('base64url')]) expect(sealed).not.toContain(plain);
  });

  test('a recovery code lets in once, however it is typed; renewed ones replace the rest', async () => {
    const email = 'lotte@northwind.example';
    const { envelope } = await client.enter({ email });
    const { codes } = await enrol(envelope);
    const tokenOf = async () => String((await client.signIn({ email })).answer.challenge?.token);
    const [first = '', second = ''] = codes;
    const typed = `${first.slice(0, 5)}-${first.slice(5)}`.toLowerCase();
    const entered = await client.answer(await tokenOf(), { recoveryCode: typed });
    expect(entered.answer.session).not.toBeNull();
    const again = await client.answer(await tokenOf(), { recoveryCode: first });
    expect(again.answer.userErrors).toEqual([
      { code: 'INVALID', message: 'This code is not right.', field: 'recoveryCode' },
    ]);
    const parallel = await Promise.all(
      [await tokenOf(), await tokenOf(), await tokenOf()].map((token) =>
        client.answer(token, { recoveryCode: second }),
      ),
    );
    expect(parallel.filter(({ answer }) => answer.session !== null)).toHaveLength(1);
    const mine = await client.seenBy(entered.answer.session as Tokens);
    const { data } = await run(mine, 'renewRecoveryCodes');
    expect((data?.renewRecoveryCodes as { recoveryCodes: string[] }).recoveryCodes).toHaveLength(10);
    const old = await client.answer(await tokenOf(), { recoveryCode: String(codes[2]) });
    expect(old.answer.session).toBeNull();
  });

  test('taken out of use it is not asked for any more, and its recovery codes are gone', async () => {
    const email = 'piet@northwind.example';
    const { envelope } = await client.enter({ email });
    await enrol(envelope);
    expect((await run(envelope, 'removeTotp')).data?.removeTotp).toEqual({ isDone: true, userErrors: [] });
    expect((await client.signIn({ email })).answer.session).not.toBeNull();
    expect(await trial.sql('select from identity.recovery_code where user_id = $1', [seedId('6027')])).toEqual([]);
    expect((await run(envelope, 'removeTotp')).data).toMatchObject({ removeTotp: { isDone: false } });
    expect((await run(envelope, 'renewRecoveryCodes')).data).toMatchObject({
      renewRecoveryCodes: { recoveryCodes: null, userErrors: [{ code: 'INVALID_STATE' }] },
    });
  });

  test('a new app takes the place of the one before only once its code was right', async () => {
    const email = 'samira@northwind.example';
    const { envelope } = await client.enter({ email });
    const old = await enrol(envelope);
    await run(envelope, 'enrolTotp');
    const { answer } = await client.signIn({ email });
    const entered = await client.answer(String(answer.challenge?.token), { code: codeOf(old.secret) });
    const mine = await client.seenBy(entered.answer.session as Tokens);
    const fresh = await enrol(mine);
    const next = await client.signIn({ email });
    const token = String(next.answer.challenge?.token);
    expect((await client.answer(token, { code: codeOf(old.secret, 1) })).answer.session).toBeNull();
    expect((await client.answer(token, { code: codeOf(fresh.secret) })).answer.session).not.toBeNull();
  });

  test('every door of it wants a fresh proof and says which, and nobody acts in another’s name there', async () => {
    const { envelope } = await client.enter({ email: 'nils@northwind.example' });
    const old = { ...envelope, strongAt: Math.floor(Date.now() / 1_000) - 700 };
    const acting = {
      ...envelope,
      actingFor: { operator: seedId('6001'), impersonation: seedId('9999'), mode: 'ACT' as const },
    };
    for (const door of Object.keys(PAYLOADS) as (keyof typeof PAYLOADS)[]) {
      expect((await run(old, door)).errors?.[0]?.extensions).toMatchObject({
        code: 'FORBIDDEN',
        reason: 'STEP_UP',
        methods: ['PWD'],
      });
      expect((await run(acting, door)).errors?.[0]?.extensions).toMatchObject({ reason: 'IMPERSONATION' });
      expect((await run({}, door)).errors?.[0]?.extensions?.code).toBe('UNAUTHENTICATED');
    }
  });
});

describe('Stepping up', () => {
  test('with a code, for whoever has an app; their password alone is no strong proof any more', async () => {
    const email = 'nils@northwind.example';
    const { envelope, tokens } = await client.enter({ email });
    const { secret } = await enrol(envelope);
    await trial.sql("update identity.session set strong_at = strong_at - interval '1 hour' where id = $1", [
      tokens.sessionId,
    ]);
    const byPassword = await client.stepUp(envelope, { password: trial.password });
    expect(byPassword.answer.userErrors).toMatchObject([{ code: 'INVALID_STATE', field: 'password' }]);
    const wrong = await client.stepUp(envelope, { code: '000000' });
    expect(wrong.answer.userErrors).toMatchObject([{ message: 'This code is not right.' }]);
    const right = await client.stepUp(envelope, { code: codeOf(secret) });
    expect(right.answer.session).not.toBeNull();
    expect(Date.now() / 1_000 - Number((await client.seenBy(tokens)).strongAt)).toBeLessThan(10);
    const replayed = await client.stepUp(envelope, { code: codeOf(secret) });
    expect(replayed.answer.session).toBeNull();
  });

  test('wrong codes given here count with those of signing in', async () => {
    const { envelope } = await client.enter({ email: 'ingrid@northwind.example' });
    await enrol(envelope);
    for (let i = 0; i < 10; i += 1) await client.stepUp(envelope, { code: '000000' });
    const { answer } = await client.signIn({ email: 'ingrid@northwind.example' });
    const tried = await client.answer(String(answer.challenge?.token), { code: '000000' });
    expect(tried.answer.userErrors).toMatchObject([{ code: 'LIMIT_REACHED' }]);
  });

  test('two proofs at once are none', async () => {
    const { envelope } = await client.enter({ email: 'jonas@northwind.example' });
    const { errors } = await client.stepUp(envelope, { password: trial.password, code: '000000' });
    expect(errors?.[0]?.extensions?.code).toBe('BAD_USER_INPUT');
  });
});
