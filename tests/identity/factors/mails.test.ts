import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ScureBase32Plugin } from 'otplib';
import type { Envelope } from '../../../subgraphs/_kernel/signed-context.ts';
import { codeAt } from '../../../subgraphs/identity/factors/totp.rules.ts';
import { earlyInStep } from '../../setup/codes.ts';
import { tokenIn } from '../../setup/mails.ts';
import { doorsOf, FINE } from '../accounts/accounts.ts';
import { clientOf, envelopeOf, openTrial, type Tokens, type Trial } from '../trial.ts';

let trial: Trial;
let client: ReturnType<typeof clientOf>;
beforeAll(async () => {
  trial = await openTrial();
  client = clientOf(trial);
}, 120_000);
beforeEach(() => earlyInStep(), 15_000);
afterAll(() => trial?.close());

const email = 'milo@kestrel.example';
/** But for those about new devices: here nobody has an address. */
const subjects = async (to = email) =>
  (await trial.mails(to))
    .map(({ subject }) => subject)
    .filter((subject) => subject !== 'A new sign-in to your account');
const ask = async (who: Partial<Envelope>, query: string, input?: object) => {
  const { data, errors } = await trial.ask(who, query, input ? { input } : {});
  expect(errors).toBeUndefined();
  return Object.values(data ?? {})[0] as { userErrors: object[] } & Record<string, unknown>;
};

const ADDED = 'An authenticator app was added to your account';
const USED = 'A recovery code of your account was used';
const RENEWED = 'Your recovery codes were renewed';
const REMOVED = 'The authenticator app of your account was removed';

describe('Somebody is told by mail what becomes of their second factors', () => {
  let mine: Partial<Envelope>;
  let codes: string[];

  test('when an app is taken into use, and not before its code was right', async () => {
    mine = (await client.enter({ email })).envelope;
    const { secret } = await ask(mine, 'mutation { enrolTotp { secret userErrors { message } } }');
    const CONFIRM =
      'mutation($input: CodeInput!) { confirmTotp(input: $input) { recoveryCodes userErrors { message } } }';
    await ask(mine, CONFIRM, { code: '000000' });
    expect(await subjects()).toEqual([]);
    const code = codeAt(Buffer.from(new ScureBase32Plugin().decode(String(secret))), new Date());
    const confirmed = await ask(mine, CONFIRM, { code });
    codes = confirmed.recoveryCodes as string[];
    expect(await subjects()).toEqual([ADDED]);
    const [mail] = await trial.mails(email);
    for (const kept of [String(secret), ...codes]) expect(mail?.text).not.toContain(kept);
  });

  test('when a recovery code was used, once, and not for a wrong one', async () => {
    const { answer } = await client.signIn({ email });
    const token = String(answer.challenge?.token);
    await client.answer(token, { recoveryCode: 'AAAAAAAAAA' });
    expect(await subjects()).toEqual([ADDED]);
    const entered = await client.answer(token, { recoveryCode: String(codes[0]) });
    mine = await client.seenBy(entered.answer.session as Tokens);
    expect(await subjects()).toEqual([ADDED, USED]);
    const again = await client.signIn({ email });
    await client.answer(String(again.answer.challenge?.token), { recoveryCode: String(codes[0]) });
    expect(await subjects()).toEqual([ADDED, USED]);
  });

  test('when codes are renewed, and when the app is removed', async () => {
    await ask(mine, 'mutation { renewRecoveryCodes { userErrors { message } } }');
    expect(await subjects()).toEqual([ADDED, USED, RENEWED]);
    await ask(mine, 'mutation { removeTotp { userErrors { message } } }');
    expect(await subjects()).toEqual([ADDED, USED, RENEWED, REMOVED]);
    await ask(mine, 'mutation { removeTotp { userErrors { message } } }'); // there is none any more
    expect(await subjects()).toHaveLength(4);
  });

  test('with a link that locks their account', async () => {
    const mail = (await trial.mails(email)).at(-1);
    expect(mail?.links).toEqual([`http://localhost:4000/lock-account#${tokenIn(mail)}`]);
    expect(await doorsOf(trial).lock(tokenIn(mail))).toEqual(FINE);
    expect((await client.signIn({ email })).answer.session).toBeNull();
  });

  test('when an administrator takes them away', async () => {
    const ada = (await client.enter({ email: 'ada@kestrel.example' })).envelope;
    const { secret } = await ask(ada, 'mutation { enrolTotp { secret userErrors { message } } }');
    const code = codeAt(Buffer.from(new ScureBase32Plugin().decode(String(secret))), new Date());
    await ask(ada, 'mutation($input: CodeInput!) { confirmTotp(input: $input) { userErrors { message } } }', { code });
    const reset =
      'mutation($input: MemberInput!) { resetMemberSecondFactor(input: $input) { userErrors { message } } }';
    const input = { membershipId: envelopeOf('Ada Quill').membershipId, expectedVersion: 1 };
    expect((await ask(envelopeOf('Wren Castillo'), reset, input)).userErrors).toEqual([]);
    expect(await subjects('ada@kestrel.example')).toEqual([
      ADDED,
      'The second factors of your account were taken away',
    ]);
  });
});
