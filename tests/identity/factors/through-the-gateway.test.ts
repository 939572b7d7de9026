import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ScureBase32Plugin } from 'otplib';
import { seedId } from '../../../subgraphs/_kernel/seed-world.ts';
import { codeAt } from '../../../subgraphs/identity/factors/totp.rules.ts';
import { answerFor } from '../../setup/codes.ts';
import { openGatewayWorld } from '../../setup/gateway.ts';

let running: Awaited<ReturnType<typeof openGatewayWorld>>;
const NGOZI = 'ngozi@platform.example';

beforeAll(async () => {
  running = await openGatewayWorld();
}, 120_000);
afterAll(() => running.close());

const signIn = (email: string) => running.client.signIn(email, running.password);

describe('Through the gateway', () => {
  test('a door that wants a fresh proof says with what, and opens at once when it was given', async () => {
    const ngozi = await signIn(NGOZI);
    await running.world.sql(
      "update identity.session set strong_at = strong_at - interval '11 minutes' where user_id = $1",
      [seedId('6001')],
    );
    const RENEW = 'mutation { renewRecoveryCodes { recoveryCodes userErrors { message } } }';
    const refused = await ngozi.ask(RENEW);
    expect(refused.errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', reason: 'STEP_UP', methods: ['OTP'] });
    const stepUp = 'mutation($input: StepUpInput!) { stepUp(input: $input) { session { sessionId } } }';
    const code = await answerFor(NGOZI, running.password, running.world.databaseUrl);
    const stepped = await ngozi.ask<{ stepUp: { session: object | null } }, object>(stepUp, { input: { code } });
    expect(stepped.data?.stepUp.session).not.toBeNull();
    const opened = await ngozi.ask<{ renewRecoveryCodes: { recoveryCodes: string[] } }, object>(RENEW);
    expect(opened.data?.renewRecoveryCodes.recoveryCodes).toHaveLength(10);
  });

  test('whoever must enrol first finds every other door shut, also streams, and all open the moment they have', async () => {
    await running.world.sql('delete from identity.second_factor where user_id = $1', [seedId('6002')]);
    const tomas = await signIn('tomas@platform.example');
    const shut = { code: 'FORBIDDEN', reason: 'ENROL_SECOND_FACTOR' };
    for (const query of ['{ tenants(first: 1) { nodes { slug } } }', '{ roles { key } }', '{ mySessions { id } }'])
      expect((await tomas.ask(query)).errors?.[0]?.extensions).toMatchObject(shut);
    const stream = tomas.follow('subscription { mySessionEnded { reason } }');
    await expect(stream.next().then(({ errors }) => Promise.reject(errors))).rejects.toMatchObject([
      { extensions: shut },
    ]);
    expect((await tomas.ask('{ me { user { displayName } } }')).data).toMatchObject({
      me: { user: { displayName: 'Tomás Rivera' } },
    });
    const begun = await tomas.ask<{ enrolTotp: { secret: string } }, object>('mutation { enrolTotp { secret } }');
    const secret = Buffer.from(new ScureBase32Plugin().decode(String(begun.data?.enrolTotp.secret)));
    await tomas.ask('mutation($input: CodeInput!) { confirmTotp(input: $input) { recoveryCodes } }', {
      input: { code: codeAt(secret, new Date()) },
    });
    expect((await tomas.ask('{ roles { key } }')).errors).toBeUndefined();
  });

  test('the origin a client claims to come from counts only if it is one of ours', async () => {
    const query =
      'mutation { startPasskeySignIn(input: { transport: BODY }) { challenge { passkeyOptions } userErrors { code } } }';
    const hostAt = async (origin: string) => {
      const { data } = await running.client.post<{ startPasskeySignIn: { challenge: { passkeyOptions: string } } }>(
        query,
        {},
        undefined,
        { origin },
      );
      return JSON.parse(String(data?.startPasskeySignIn.challenge.passkeyOptions)).rpId;
    };
    expect(await hostAt('https://studio.apollographql.com')).toBe('studio.apollographql.com');
    expect(await hostAt('https://evil.example')).toBe('localhost');
  });
});
