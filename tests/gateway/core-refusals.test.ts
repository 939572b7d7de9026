import { seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { openGatewayWorld, type Person } from '../setup/gateway.ts';

const [KESTREL, NORTHWIND, HARBOUR, FABLE] = ['0a01', '0a02', '0a03', '0a07'].map(seedId);
const DAY_S = 86_400;

/** What a gated door and a core door say of a licence that is closed, by the reason. */
const SAYS = {
  TRIAL_ENDED: 'Your trial has ended.',
  RESTRICTED: 'Your licence is restricted.',
  SUSPENDED: 'Your licence is suspended.',
  EXPIRED: 'Your licence has expired.',
  REVOKED: 'Your licence was revoked.',
} as const;

describe('Whoever is refused is told why', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let ngozi: Person;
  let tomas: Person;
  beforeAll(async () => {
    running = await openGatewayWorld();
    ngozi = await signIn('ngozi@platform.example');
    tomas = await signIn('tomas@platform.example');
  }, 60_000);
  afterAll(() => running?.close());

  const signIn = (email: string) => running.client.signIn(email, running.password);
  const order = async (who: Person, mutation: string) => {
    const { data, errors } = await who.ask<Record<string, { userErrors: object[] }>, object>(mutation);
    expect([errors, Object.values(data ?? {}).flatMap(({ userErrors }) => userErrors)]).toEqual([undefined, []]);
  };
  const hold = (tenantId: string | undefined, level: string) =>
    order(
      ngozi,
      `mutation { placeLicenseHold(input: { tenantId: "${tenantId}", kind: OPERATOR, level: ${level}, reason: "Looking into it." }) { userErrors { message } } }`,
    );
  const revoke = (who: Person, tenantId: string | undefined) =>
    order(
      who,
      `mutation { revokeLicense(input: { tenantId: "${tenantId}", reason: "Given back." }) { userErrors { message } } }`,
    );
  const days = (count: number) =>
    order(
      ngozi,
      `mutation { advanceClock(input: { tenantId: "${FABLE}", by: "PT${count * DAY_S}S" }) { userErrors { message } } }`,
    );
  const newCustomer = (who: Person) =>
    who.ask('mutation { createCustomer(input: { name: "New Bakery", kind: BUSINESS }) { userErrors { code } } }');
  const newLead = (who: Person) =>
    who.ask(
      'mutation { captureLead(input: { name: "Ines Faro", source: WEBSITE, email: "ines@example.com", idempotencyKey: "lead" }) { userErrors { code } } }',
    );
  const expectClosed = async (who: Person, reason: keyof typeof SAYS) => {
    const core = await newCustomer(who);
    expect([core.status, core.errors?.map(({ message, extensions }) => ({ message, ...extensions }))]).toEqual([
      402,
      [
        expect.objectContaining({
          ...{ message: `${SAYS[reason]} You can read, but change nothing.`, code: 'FEATURE_NOT_LICENSED' },
          ...{ feature: 'core', reason, upgradeUrl: '/billing' },
        }),
      ],
    ]);
    const gated = await newLead(who);
    expect(gated.errors?.map(({ message, extensions: { reason } }) => ({ message, reason }))).toEqual([
      { message: SAYS[reason], reason },
    ]);
    const { data, errors } = await who.ask('{ license { state } customers(first: 1) { nodes { id } } }');
    expect([errors, data]).toEqual([undefined, expect.objectContaining({ customers: expect.anything() })]);
  };

  test.each([
    ['in its trial', 'chidi@harbour.example'],
    ['paid for', 'wren@kestrel.example'],
    ['that never ends', 'bruno@atlas.example'],
    ['that is not there yet', 'ewa@oldtown.example'],
  ])('nobody with a licence %s', async (_, email) => {
    const { data, errors } = await newCustomer(await signIn(email));
    expect([errors, data]).toEqual([undefined, { createCustomer: { userErrors: [] } }]);
  });

  test('with a licence that is restricted, then suspended', async () => {
    const chidi = await signIn('chidi@harbour.example');
    await hold(HARBOUR, 'RESTRICTED');
    await expectClosed(chidi, 'RESTRICTED');
    await hold(HARBOUR, 'SUSPENDED');
    await expectClosed(chidi, 'SUSPENDED');
  });

  test('in a tenant that is suspended', async () => {
    const { status, errors } = await newCustomer(await signIn('rosa@sable.example'));
    expect([status, errors?.map(({ message, extensions }) => ({ message, ...extensions }))]).toEqual([
      403,
      [{ code: 'FORBIDDEN', message: 'This organisation is suspended.', reason: 'TENANT_SUSPENDED' }],
    ]);
  });

  test('with a licence that was revoked', async () => {
    const ingrid = await signIn('ingrid@northwind.example');
    await revoke(ngozi, NORTHWIND);
    await revoke(tomas, NORTHWIND);
    await expectClosed(ingrid, 'REVOKED');
  });

  test('with a trial that is over, then a licence that has expired, then one that has ended for good', async () => {
    const fen = await signIn('fen@fable.example');
    const { data } = await fen.ask<{ license: { trialEndsAt: string } }, object>('{ license { trialEndsAt } }');
    await days(Math.ceil((Date.parse(String(data?.license.trialEndsAt)) - Date.now()) / (DAY_S * 1_000)) + 1);
    await expectClosed(fen, 'TRIAL_ENDED');
    await days(14);
    await expectClosed(fen, 'EXPIRED');
    await days(31);
    await expectClosed(fen, 'EXPIRED');
  });

  test('who may not change a licence, by its own sentence; elsewhere by the common one', async () => {
    const [ada, wren] = [await signIn('ada@kestrel.example'), await signIn('wren@kestrel.example')];
    const said = async (who: Person, query: string) =>
      (await who.ask(query)).errors?.map(({ message, extensions: { code } }) => [code, message]);
    const change = '{ userErrors { code } }';
    const hers = [
      `mutation { upgradeLicense(input: { newPlan: "professional", idempotencyKey: "up" }) ${change} }`,
      `mutation { setAutoRenew(input: { autoRenew: false }) ${change} }`,
      `mutation { startFeatureTrial(input: { feature: "crm" }) ${change} }`,
      `mutation { cancelScheduledChange(input: { changeId: "x" }) ${change} }`,
      '{ previewLicenseChange(input: { plan: "professional" }) { hash } }',
    ];
    for (const query of hers)
      expect([query, await said(ada, query)]).toEqual([query, [['FORBIDDEN', 'You may not change this licence.']]]);
    const platforms = [
      `mutation { setOverride(input: { tenantId: "${KESTREL}", key: "crm", isEnabled: true, reason: "Please." }) ${change} }`,
      `mutation { liftLicenseHold(input: { id: "x", reason: "Please." }) ${change} }`,
      `mutation { revokeLicense(input: { tenantId: "${NORTHWIND}", reason: "Please." }) ${change} }`,
      `mutation { refreshLicense(input: { tenantId: "${KESTREL}" }) ${change} }`,
    ];
    for (const query of platforms)
      expect([query, await said(wren, query)]).toEqual([query, [['FORBIDDEN', 'You may not change this licence.']]]);
    expect(await said(wren, '{ tenantLicenses { nodes { id } } }')).toEqual([['FORBIDDEN', 'You may not do this.']]);
    const { license } = (await wren.ask<{ license: { state: string } }, object>('{ license { state } }')).data ?? {};
    expect(license?.state).toBe('ACTIVE');
  });
});
