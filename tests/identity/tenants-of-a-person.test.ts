import { seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { openGatewayWorld, type Person } from '../setup/gateway.ts';

let running: Awaited<ReturnType<typeof openGatewayWorld>>;
let edda: Person;
let nowhere: Person;
beforeAll(async () => {
  running = await openGatewayWorld();
  edda = await running.client.signIn('edda@northwind.example', running.password, { tenant: 'northwind' });
  nowhere = await running.client.signIn('edda@northwind.example', running.password);
}, 60_000);
afterAll(() => running?.close());

const northwind = { slug: 'northwind', name: 'Northwind Fibre' };
const harbour = { slug: 'harbour', name: 'Harbour Net' };
const NAMES = '{ me { memberships { tenant { slug name } } } }';

describe('Edda works at two organisations', () => {
  test('and sees the names of both, wherever she is', async () => {
    for (const who of [edda, nowhere]) {
      const { data, errors } = await who.ask(NAMES);
      expect({ data, errors }).toEqual({
        data: { me: { memberships: [{ tenant: northwind }, { tenant: harbour }] } },
        errors: undefined,
      });
    }
  });

  test('is told them in the very answer that signs her in', async () => {
    const { data, errors } = await running.client.post(
      'mutation($input: SignInInput!) { signIn(input: $input) { session { tenant { slug name } } tenants { tenant { slug name } } } }',
      { input: { email: 'edda@northwind.example', password: running.password, transport: 'BODY' } },
    );
    expect(errors).toBeUndefined();
    expect(data?.signIn).toEqual({
      session: { tenant: northwind },
      tenants: [{ tenant: northwind }, { tenant: harbour }],
    });
  });

  test('and where she is, once she goes there', async () => {
    const who = await running.client.signIn('edda@northwind.example', running.password, { tenant: 'northwind' });
    const { data, errors } = await who.ask(
      'mutation($input: SwitchTenantInput!) { switchTenant(input: $input) { session { tenant { slug name } } } }',
      { input: { tenantId: seedId('0a03') } },
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({ switchTenant: { session: { tenant: harbour } } });
  });

  test('but nothing else of the one she is not in', async () => {
    for (const field of [
      'state',
      'accessMode',
      'zone',
      'placement { region }',
      'domains { host }',
      'license { state }',
    ]) {
      const { data, errors } = await edda.ask<{ me: object }, object>(
        `{ me { memberships { tenant { name ${field} } } } }`,
      );
      const [own, other] = (data?.me as { memberships: { tenant: { name: string } | null }[] }).memberships;
      expect(own?.tenant).toMatchObject({ name: northwind.name });
      expect([null, { name: harbour.name, [field.split(' ')[0] as string]: null }]).toContainEqual(other?.tenant);
      expect((errors ?? []).map(({ extensions }) => extensions.code)).not.toContain('INTERNAL');
    }
  });

  test('and nothing at all of one she is no member of, nor of one that is none', async () => {
    const [foreign, random] = [seedId('0a01'), seedId('ffff')];
    const answers = [];
    for (const id of [foreign, random]) {
      const { data, errors } = await edda.ask(
        'mutation($input: SwitchTenantInput!) { switchTenant(input: $input) { session { tenant { name } } userErrors { code message } } }',
        { input: { tenantId: id } },
      );
      answers.push({ data, errors });
    }
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]?.data).toMatchObject({ switchTenant: { session: null, userErrors: [{ code: 'NOT_FOUND' }] } });
  });
});

test('A name that changes is the new one at once, for members who are elsewhere too', async () => {
  const chidi = await running.client.signIn('chidi@harbour.example', running.password);
  const renamed = await chidi.ask(
    'mutation($input: TenantProfileInput!) { updateTenantProfile(input: $input) { tenant { name } userErrors { message } } }',
    { input: { name: 'Harbour Networks' } },
  );
  expect(renamed.data).toMatchObject({ updateTenantProfile: { tenant: { name: 'Harbour Networks' }, userErrors: [] } });
  const { data } = await edda.ask(NAMES);
  expect(data).toMatchObject({
    me: { memberships: [{ tenant: northwind }, { tenant: { slug: 'harbour', name: 'Harbour Networks' } }] },
  });
});

test('Who has left an organisation is not told its name any more', async () => {
  await running.world.sql(
    `select set_config('app.tenant_id', '${seedId('0a03')}', false);
     update identity.membership m set state = 'ENDED', ended_at = now() from identity.user u
      where m.tenant_id = '${seedId('0a03')}' and m.user_id = u.id and u.email = 'edda@northwind.example'`,
  );
  expect((await nowhere.ask(NAMES)).data).toEqual({ me: { memberships: [{ tenant: northwind }] } });
});
