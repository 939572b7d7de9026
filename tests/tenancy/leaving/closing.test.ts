import { openGatewayWorld, type Person } from '../../setup/gateway.ts';

const KESTREL = '01990000-0000-7000-8000-000000000a01';
const NORTHWIND = '01990000-0000-7000-8000-000000000a02';
const PLATFORM = '01990000-0000-7000-8000-000000000001';

interface Answered {
  tenant: { state: string; accessMode: string; closesAt: string | null; suspension: { reason: string } | null } | null;
  userErrors: { code: string; message: string; field: string | null }[];
}

describe('Closing a tenant', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let ngozi: Person;
  let wren: Person;
  const signIn = (email: string, realm?: string) =>
    running.client.signIn(email, running.password, realm ? { realm } : {});
  beforeAll(async () => {
    running = await openGatewayWorld();
    ngozi = await signIn('ngozi@platform.example');
    wren = await signIn('wren@kestrel.example');
  }, 60_000);
  afterAll(() => running?.close());

  const act = (who: Person, mutation: string, input: object) => {
    const type = mutation === 'closeTenant' ? 'CloseTenantInput' : 'TenantInput';
    return who.ask<Record<string, Answered>, object>(
      `mutation($input: ${type}!) { ${mutation}(input: $input) {
        tenant { state accessMode closesAt suspension { reason } } userErrors { code message field } } }`,
      { input },
    );
  };
  const close = (who: Person, input: object) => act(who, 'closeTenant', input);
  const reopen = (who: Person, tenantId: string) => act(who, 'reopenTenant', { tenantId });

  test('needs a proof of who asks that is fresh, and a permission', async () => {
    const late = await signIn('wren@kestrel.example');
    await running.world.sql(
      "update identity.session set strong_at = strong_at - interval '11 minutes' where id = (select id from identity.session order by started_at desc limit 1)",
    );
    const { errors } = await close(late, { confirmSlug: 'kestrel' });
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', reason: 'STEP_UP' });
    const ada = await signIn('ada@kestrel.example');
    expect((await close(ada, { confirmSlug: 'kestrel' })).errors?.[0]?.extensions).toEqual({ code: 'FORBIDDEN' });
  });

  test('is of one’s own tenant; another’s is as unknown as one that never was, and the platform stays', async () => {
    for (const tenantId of [NORTHWIND, '01990000-0000-7000-8000-00000000dead', 'northwind']) {
      const { data } = await close(wren, { tenantId, confirmSlug: 'northwind' });
      expect(data?.closeTenant?.userErrors).toEqual([
        { code: 'NOT_FOUND', message: 'There is no such tenant.', field: 'tenantId' },
      ]);
    }
    expect((await reopen(wren, NORTHWIND)).data?.reopenTenant?.userErrors[0]?.code).toBe('NOT_FOUND');
    const { data } = await close(ngozi, { tenantId: PLATFORM, confirmSlug: 'platform' });
    expect(data?.closeTenant?.userErrors[0]).toMatchObject({ code: 'INVALID_STATE' });
  });

  test('leaves reading to all its people, its subscribers among them, until it is taken back', async () => {
    const marcus = await signIn('marcus@kestrel.example', 'kestrel');
    const closed = await close(wren, { confirmSlug: 'kestrel' });
    expect(closed.data?.closeTenant?.tenant).toMatchObject({ state: 'CLOSING', accessMode: 'READ_ONLY' });
    expect((await marcus.ask('{ myAccount { name } }')).errors).toBeUndefined();
    const ada = await signIn('ada@kestrel.example'); // also who signs in only now
    expect((await ada.ask('{ customers(first: 1) { nodes { id } } }')).errors).toBeUndefined();
    const written = await wren.ask('mutation { updateTenantProfile(input: { name: "Kestrel" }) { tenant { id } } }');
    expect(written.errors?.[0]?.extensions).toEqual({ code: 'FORBIDDEN', reason: 'TENANT_READ_ONLY' });
    expect((await close(wren, { confirmSlug: 'kestrel' })).errors?.[0]?.extensions.reason).toBe('TENANT_READ_ONLY');

    const { data } = await reopen(wren, KESTREL);
    expect(data?.reopenTenant).toEqual({
      tenant: { state: 'ACTIVE', accessMode: 'NORMAL', closesAt: null, suspension: null },
      userErrors: [],
    });
    expect((await reopen(wren, KESTREL)).data?.reopenTenant?.userErrors[0]).toMatchObject({ code: 'INVALID_STATE' });
    const again = await wren.ask(
      'mutation { updateTenantProfile(input: { name: "Kestrel Wireless" }) { tenant { name } } }',
    );
    expect(again.data).toEqual({ updateTenantProfile: { tenant: { name: 'Kestrel Wireless' } } });
  });

  test('does not open what was suspended before, and taken back it is suspended again', async () => {
    await ngozi.ask(
      `mutation { suspendTenant(input: { tenantId: "${KESTREL}", reason: LEGAL }) { userErrors { code } } }`,
    );
    const closed = await close(ngozi, { tenantId: KESTREL, confirmSlug: 'kestrel', days: 90 });
    expect(closed.data?.closeTenant?.tenant).toMatchObject({ state: 'CLOSING', accessMode: 'BLOCKED' });
    const { errors } = await wren.ask('{ customers(first: 1) { nodes { id } } }');
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', reason: 'TENANT_SUSPENDED' });
    for (const mutation of [
      'suspendTenant(input: { tenantId: "ID", reason: LEGAL })',
      'reactivateTenant(input: { tenantId: "ID" })',
    ]) {
      const { data } = await ngozi.ask<Record<'answer', Answered>, object>(
        `mutation { answer: ${mutation.replace('ID', KESTREL)} { userErrors { code } } }`,
      );
      expect(data?.answer.userErrors).toEqual([{ code: 'INVALID_STATE' }]);
    }
    const { data } = await reopen(ngozi, KESTREL);
    expect(data?.reopenTenant?.tenant).toMatchObject({ state: 'SUSPENDED', suspension: { reason: 'LEGAL' } });
    await running.world.untilNoJobs();
  });
});
