import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mailMark } from '../../../subgraphs/_kernel/mail-mark.ts';
import { mendStaffCopies } from '../../../subgraphs/identity/membership.steps.ts';
import { openGatewayWorld, type Person } from '../../setup/gateway.ts';
import { tokenIn } from '../../setup/mails.ts';
import { envelopeOf, tenantId } from '../trial.ts';

let running: Awaited<ReturnType<typeof openGatewayWorld>>;
let edda: Person;
let ingrid: Person;
let fen: Person;

const [OLD, NEW] = ['edda@northwind.example', 'edda@klein.example'];
const EDDA = String(envelopeOf('Edda Klein', 'northwind').caller?.id);

beforeAll(async () => {
  running = await openGatewayWorld();
  const signIn = (email: string, options = {}) => running.client.signIn(email, running.password, options);
  edda = await signIn(OLD, { tenant: 'northwind' });
  ingrid = await signIn('ingrid@northwind.example');
  fen = await signIn('fen@fable.example');
}, 120_000);
afterAll(() => running?.close());

interface Answer {
  userErrors: { code: string; message: string; field: string | null }[];
}
async function call(who: Person, door: string, type: string, input: object): Promise<Answer> {
  const { data, errors } = await who.ask<Record<string, Answer>, object>(
    `mutation($input: ${type}!) { ${door}(input: $input) { userErrors { code message field } } }`,
    { input },
  );
  expect([door, errors]).toEqual([door, undefined]);
  return data?.[door] as Answer;
}
const invite = (who: Person, email: string) =>
  call(who, 'inviteMember', 'InviteMemberInput', { email, role: 'auditor' });
const lastToken = async (email: string) => tokenIn((await running.world.mails(email)).at(-1));
const marks = async () => {
  const rows = await running.world.sql('select tenant_id, mail_mark from kernel.staff where user_id = $1', [EDDA]);
  return Object.fromEntries(rows.map((row) => [row.tenant_id, row.mail_mark]));
};
const both = (email: string) => {
  const mark = mailMark(running.world.config, email);
  return { [tenantId('northwind')]: mark, [tenantId('harbour')]: mark };
};

test('A changed mail is known wherever somebody works: nobody invites them there by the new one, and by the old one anybody', async () => {
  expect(await marks()).toEqual(both(OLD));
  await call(edda, 'changeEmail', 'ChangeEmailInput', { email: NEW });
  expect(await marks()).toEqual(both(OLD)); // until its link was followed
  expect((await call(edda, 'proveEmail', 'ProofInput', { token: await lastToken(NEW) })).userErrors).toEqual([]);
  expect(await marks()).toEqual(both(NEW));
  expect((await invite(ingrid, NEW)).userErrors).toMatchObject([{ code: 'CONFLICT', field: 'email' }]);
  expect((await invite(ingrid, OLD)).userErrors).toEqual([]);
});

test('The session that changed it goes on, and gateways hold the new mail at once: it accepts what was sent there', async () => {
  expect((await invite(fen, NEW)).userErrors).toEqual([]);
  const accepted = await call(edda, 'acceptInvitation', 'AcceptInvitationInput', { token: await lastToken(NEW) });
  expect(accepted.userErrors).toEqual([]);
  const old = await edda.ask<object, object>(
    'mutation($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { userErrors { code } } }',
    { input: { token: await lastToken(OLD) } },
  );
  expect(old.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
});

test('A copy that was missed is mended at night', async () => {
  await running.world.untilNoJobs();
  await running.world.sql('update kernel.staff set mail_mark = null where user_id = $1 and tenant_id = $2', [
    ...[EDDA, tenantId('harbour')],
  ]);
  await mendStaffCopies(await running.world.system('harbour', 'identity'));
  expect(await marks()).toMatchObject(both(NEW));
});

test('Whoever proves the mail they registered with may accept with the session they have', async () => {
  const input = { email: 'nora@fields.example', password: 'correct horse battery', displayName: 'Nora Fields' };
  await running.client.post('mutation($input: RegisterInput!) { registerUser(input: $input) { isDone } }', { input });
  const verification = await lastToken(input.email);
  const nora = await running.client.signIn(input.email, input.password);
  await nora.ask('{ me { user { id } } }'); // the gateway holds that nothing is proved yet
  expect((await call(nora, 'proveEmail', 'ProofInput', { token: verification })).userErrors).toEqual([]);
  expect((await invite(fen, input.email)).userErrors).toEqual([]);
  const accepted = await call(nora, 'acceptInvitation', 'AcceptInvitationInput', {
    token: await lastToken(input.email),
  });
  expect(accepted.userErrors).toEqual([]);
});
