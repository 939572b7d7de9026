import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type SeedTenant, seedId } from '../../../subgraphs/_kernel/seed-world.ts';
import type { Envelope } from '../../../subgraphs/_kernel/signed-context.ts';
import { codeAt } from '../../../subgraphs/identity/factors/totp.rules.ts';
import { addTotp } from '../../../subgraphs/identity/factors/totp.service.ts';
import { earlyInStep } from '../../setup/codes.ts';
import { clientOf, envelopeOf, openTrial, type Tokens, type Trial, tenantId } from '../trial.ts';

let trial: Trial;
let client: ReturnType<typeof clientOf>;
const CHANGE =
  'mutation($input: SignInPolicyInput!) { updateSignInPolicy(input: $input) { signInPolicy { version idleMinutes methods needsSecondFactor addresses supportAccess } userErrors { code message field } } }';
const READ =
  '{ signInPolicy { version idleMinutes maxHours portalIdleDays portalMaxDays methods needsSecondFactor addresses supportAccess } }';
type Answer = { signInPolicy: { version: number } | null; userErrors: { code: string; field: string | null }[] };

beforeAll(async () => {
  trial = await openTrial();
  client = clientOf(trial);
}, 120_000);
afterEach(async () => {
  for (const slug of ['northwind', 'harbour', 'kestrel', 'platform'] as const)
    await trial.sqlIn(slug, 'delete from identity.sign_in_policy where tenant_id = $1', [tenantId(slug)]);
});
afterAll(() => trial.close());

const change = async (who: Partial<Envelope>, input: object) => {
  const { data, errors } = await trial.ask(who, CHANGE, { input: { expectedVersion: 0, ...input } });
  return { answer: data?.updateSignInPolicy as Answer | undefined, errors };
};
/** Says a tenant's policy as background work would, which shuts out nobody who could not come back. */
const say = async (slug: SeedTenant, input: object, address?: string) => {
  const admin = { northwind: 'Ingrid Solberg', harbour: 'Chidi Obi', kestrel: 'Wren Castillo' }[slug as string] ?? '';
  const { membershipId: _, ...who } = envelopeOf(admin, slug);
  const { answer } = await change({ ...who, address }, input);
  expect(answer?.userErrors).toEqual([]);
};

describe('The sign-in policy', () => {
  test('is the default while nothing was said, changes what is given and keeps the rest', async () => {
    const ingrid = (await client.enter({ email: 'ingrid@northwind.example' })).envelope;
    const { data } = await trial.ask(ingrid, READ);
    expect(data?.signInPolicy).toEqual({
      version: 0,
      idleMinutes: 480,
      maxHours: 24,
      portalIdleDays: 30,
      portalMaxDays: 90,
      methods: ['PWD', 'OTP', 'KEY', 'REC', 'OAUTH', 'SSO'],
      needsSecondFactor: [],
      addresses: [],
      supportAccess: 'ASK',
    });
    const first = await change(ingrid, { idleMinutes: 60, supportAccess: 'NEVER' });
    expect(first.answer).toMatchObject({
      signInPolicy: { version: 1, idleMinutes: 60, supportAccess: 'NEVER', addresses: [] },
    });
    expect((await change(ingrid, { idleMinutes: 90 })).answer?.userErrors).toMatchObject([{ code: 'CONFLICT' }]);
    const second = await change(ingrid, { expectedVersion: 1, addresses: ['0.0.0.0/0'], idleMinutes: 61 });
    expect(second.answer?.userErrors).toMatchObject([{ code: 'INVALID', field: 'addresses' }]); // hers is not known
    const elsewhere = { ...(await client.enter({ email: 'chidi@harbour.example' })).envelope };
    expect((await trial.ask(elsewhere, READ)).data?.signInPolicy).toMatchObject({ version: 0 });
  });

  test('is changed by an administrator with a fresh proof, and by nobody who acts as one', async () => {
    const ingrid = envelopeOf('Ingrid Solberg');
    const acting = { operator: seedId('6001'), impersonation: seedId('9999'), mode: 'ACT' as const };
    for (const [who, said] of [
      [
        { ...ingrid, strongAt: undefined },
        { reason: 'STEP_UP', methods: ['PWD'] },
      ],
      [{ ...ingrid, actingFor: acting }, { reason: 'IMPERSONATION' }],
      [envelopeOf('Mira Petrov'), { code: 'FORBIDDEN' }],
    ] as const)
      expect((await change(who, { idleMinutes: 60 })).errors?.[0]?.extensions).toMatchObject(said);
    expect((await trial.ask(envelopeOf('Lotte Kern'), READ)).errors?.[0]?.extensions?.code).toBe('FORBIDDEN');
    expect((await trial.ask(envelopeOf('Edda Klein', 'northwind'), READ)).errors).toBeUndefined();
  });

  test('says how long sessions rest and last', async () => {
    await say('kestrel', { idleMinutes: 15, maxHours: 1, portalIdleDays: 1, portalMaxDays: 2 });
    const timesOf = async (input: { email: string; realm?: string }) => {
      const { tokens } = await client.enter(input);
      const [row] = await trial.sql(
        'select extract(epoch from idle_until - started_at)::int as idle, extract(epoch from ends_at - started_at)::int as longest from identity.session where id = $1',
        [tokens.sessionId],
      );
      return [row.idle, row.longest];
    };
    expect(await timesOf({ email: 'ada@kestrel.example' })).toEqual([15 * 60, 3_600]);
    expect(await timesOf({ email: 'marcus@kestrel.example', realm: 'kestrel' })).toEqual([86_400, 2 * 86_400]);
  });

  test('lets its staff in from its own networks only, at sign-in, at a switch and at a refresh', async () => {
    const inside = { address: '192.0.2.8' };
    const edda = await client.signIn({ email: 'edda@northwind.example', tenant: 'northwind' }, inside);
    const tokens = edda.answer.session as Tokens;
    const envelope = { ...(await client.seenBy(tokens)), address: '198.51.100.1' };
    await say('northwind', { addresses: ['192.0.2.0/24'] });
    await say('harbour', { addresses: ['192.0.2.0/24'] });
    const input = { email: 'ingrid@northwind.example' };
    const away = await client.signIn(input, { address: '198.51.100.1' });
    expect(away.answer).toMatchObject({ session: null, challenge: null, userErrors: [{ code: 'INVALID_STATE' }] });
    expect((await client.signIn(input, inside)).answer.session).not.toBeNull();
    expect((await client.switchTenant(envelope, tenantId('harbour'))).answer.userErrors).toMatchObject([
      { code: 'INVALID_STATE', message: 'This tenant lets its people in from its own networks only.' },
    ]);
    expect((await client.refresh(tokens.refreshToken)).answer.userErrors).toMatchObject([
      { message: 'Please sign in again.' },
    ]);
    const [row] = await trial.sql('select end_reason from identity.session where id = $1', [tokens.sessionId]);
    expect(row).toEqual({ end_reason: 'POLICY' });
    const records = await trial.sql("select count(*)::int from identity.sign_in_record where outcome = 'POLICY'");
    expect(records).toEqual([{ count: 3 }]);
  });

  test('that asks roles for a second factor leaves who has none nothing but enrolling one', async () => {
    await say('northwind', { needsSecondFactor: ['sales'] });
    const { tokens, envelope } = await client.enter({ email: 'nils@northwind.example' });
    expect(tokens.mustDo).toEqual(['ENROL_SECOND_FACTOR']);
    expect(envelope.mustDo).toEqual(['ENROL_SECOND_FACTOR']);
    const shut = { code: 'FORBIDDEN', reason: 'ENROL_SECOND_FACTOR' };
    for (const query of ['{ mySessions { id } }', '{ roles { key } }', 'mutation { createSocketTicket { ticket } }'])
      expect((await trial.ask(envelope, query)).errors?.[0]?.extensions).toMatchObject(shut);
    const open = await trial.ask(envelope, '{ me { user { displayName } } }');
    expect(open.data).toEqual({ me: { user: { displayName: 'Nils Aumann' } } });
    expect((await trial.ask(envelope, 'mutation { enrolTotp { uri } }')).errors).toBeUndefined();
    expect((await client.refresh(tokens.refreshToken)).answer.session?.mustDo).toEqual(['ENROL_SECOND_FACTOR']);
    expect((await trial.ask(envelope, 'mutation { signOut { isDone } }')).data?.signOut).toEqual({ isDone: true });
  });

  test('that changes reaches who is signed in at their next refresh', async () => {
    const { tokens } = await client.enter({ email: 'lotte@northwind.example' });
    await say('northwind', { needsSecondFactor: ['support_agent'] });
    const { answer } = await client.refresh(tokens.refreshToken);
    expect(answer.session?.mustDo).toEqual(['ENROL_SECOND_FACTOR']);
    expect(await client.seenBy(tokens)).toMatchObject({ mustDo: ['ENROL_SECOND_FACTOR'] });
  });

  test('of another tenant that asks for more proof makes a switch a challenge, which its own session answers', async () => {
    const { envelope, tokens } = await client.enter({ email: 'edda@northwind.example', tenant: 'northwind' });
    await earlyInStep();
    const secret = randomBytes(20);
    await addTotp(await trial.system('platform'), seedId('6024'), secret);
    await say('harbour', { needsSecondFactor: ['auditor'] });
    const { answer } = await client.switchTenant(envelope, tenantId('harbour'));
    expect(answer).toMatchObject({ session: null, challenge: { methods: ['OTP'] }, userErrors: [] });
    const token = String(answer.challenge?.token);
    const code = codeAt(secret, new Date());
    expect((await client.answer(token, { code })).answer.userErrors).toMatchObject([
      { message: 'Please start again.' }, // a stranger's answer
    ]);
    expect(await client.seenBy(tokens)).toMatchObject({ tenantId: tenantId('northwind') });
    const moved = await client.answer(token, { code }, envelope);
    expect(moved.answer).toMatchObject({ session: { tenant: { slug: 'harbour' }, mustDo: [] }, userErrors: [] });
    expect(await client.seenBy(tokens)).toMatchObject({ tenantId: tenantId('harbour'), strongAt: expect.any(Number) });
    const [row] = await trial.sql('select methods from identity.session where id = $1', [tokens.sessionId]);
    expect(row.methods).toEqual(['PWD', 'OTP']);
    const back = await client.switchTenant(envelope, tenantId('northwind'));
    expect(back.answer.session?.tenant?.slug).toBe('northwind'); // which asks for nothing
    await trial.sql('delete from identity.second_factor where user_id = $1', [seedId('6024')]);
  });
});

describe('A platform administrator', () => {
  test('who has no second factor has nothing to do but enrol one, whatever the policy says', async () => {
    const kept = await trial.sql('delete from identity.second_factor where user_id = $1 returning *', [seedId('6002')]);
    const { tokens, envelope } = await client.enter({ email: 'tomas@platform.example' });
    expect(tokens.mustDo).toEqual(['ENROL_SECOND_FACTOR']);
    const { errors } = await trial.ask(envelope, '{ members { nodes { id } } }');
    expect(errors?.[0]?.extensions?.reason).toBe('ENROL_SECOND_FACTOR');
    const { sealed, made_at } = kept[0];
    await trial.sql("insert into identity.second_factor values ($1, 'ACTIVE', $2, null, $3)", [
      seedId('6002'),
      sealed,
      made_at,
    ]);
  });

  test('who takes the last one away is back where they were', async () => {
    const { tokens, envelope } = await client.enter({ email: 'tomas@platform.example' });
    expect(tokens.mustDo).toEqual([]);
    const { data } = await trial.ask(envelope, 'mutation { removeTotp { isDone } }');
    expect(data?.removeTotp).toEqual({ isDone: true });
    expect(await client.seenBy(tokens)).toMatchObject({ mustDo: ['ENROL_SECOND_FACTOR'], proofs: ['PWD'] });
    expect((await client.refresh(tokens.refreshToken)).answer.session?.mustDo).toEqual(['ENROL_SECOND_FACTOR']);
  });
});

describe('A lost second factor', () => {
  const RESET =
    'mutation($input: MemberInput!) { resetMemberSecondFactor(input: $input) { isDone userErrors { code message field } } }';
  const reset = async (who: Partial<Envelope>, membershipId: string) => {
    const [row] = await trial.sql('select version from identity.membership where id = $1', [membershipId]);
    const input = { membershipId, expectedVersion: row?.version ?? 1 };
    const { data, errors } = await trial.ask(who, RESET, { input });
    return errors ? errors[0]?.extensions : data?.resetMemberSecondFactor;
  };
  const give = (digits: string) =>
    trial.sql(
      "insert into identity.second_factor select $1, 'ACTIVE', sealed, null, made_at from identity.second_factor where user_id = $2",
      [seedId(digits), seedId('6001')],
    );
  const ngozi = () => envelopeOf('Ngozi Adeyemi');
  const tomas = () => envelopeOf('Tomás Rivera');

  test('of a member of this tenant alone is reset by its administrator; their sessions end and they sign in again', async () => {
    const { tokens } = await client.enter({ email: 'jonas@northwind.example' });
    await give('6022');
    const HAS = 'query($id: ID!) { member(id: $id) { hasSecondFactor } }';
    const has = async () =>
      (await trial.ask(envelopeOf('Ingrid Solberg'), HAS, { id: seedId('60220001') })).data?.member;
    expect(await has()).toEqual({ hasSecondFactor: true });
    expect(await reset(envelopeOf('Ingrid Solberg'), seedId('60220001'))).toEqual({ isDone: true, userErrors: [] });
    expect(await has()).toEqual({ hasSecondFactor: false });
    const [row] = await trial.sql('select end_reason from identity.session where id = $1', [tokens.sessionId]);
    expect(row.end_reason).toBe('FACTOR_CHANGED');
    expect((await client.signIn({ email: 'jonas@northwind.example' })).answer.session).not.toBeNull();
  });

  test('of somebody who works elsewhere too is the platform’s to reset, by two of its people', async () => {
    await give('6024');
    expect(await reset(envelopeOf('Ingrid Solberg'), seedId('60240001'))).toMatchObject({
      isDone: false,
      userErrors: [{ code: 'INVALID_STATE' }],
    });
    for (const who of [ngozi(), ngozi()])
      expect(await reset(who, seedId('60240001'))).toEqual({ isDone: false, userErrors: [] });
    expect((await client.signIn({ email: 'edda@northwind.example' })).answer.challenge).not.toBeNull();
    expect(await reset(tomas(), seedId('60240001'))).toEqual({ isDone: true, userErrors: [] });
    expect((await client.signIn({ email: 'edda@northwind.example' })).answer.session).not.toBeNull();
  });

  test('is nobody’s own to reset, and another tenant’s member is not found', async () => {
    expect(await reset(envelopeOf('Ingrid Solberg'), seedId('60210001'))).toMatchObject({ code: 'FORBIDDEN' });
    for (const id of [seedId('60110001'), seedId('9999')])
      expect(await reset(envelopeOf('Ingrid Solberg'), id)).toMatchObject({
        isDone: false,
        userErrors: [{ code: 'NOT_FOUND', message: 'There is no such member.' }],
      });
    expect(await reset({ ...envelopeOf('Ingrid Solberg'), strongAt: undefined }, seedId('60220001'))).toMatchObject({
      reason: 'STEP_UP',
    });
  });
});
