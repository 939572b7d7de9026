import { type Asker, INGRID, NGOZI, WREN } from '../../setup/world.ts';
import { type Answer, type LicensingWorld, openLicensingWorld, tenantId } from '../licensing-world.ts';

const DRAFT = `mutation($input: DraftPlanVersionInput!) { draftPlanVersion(input: $input) {
  planVersion { id number status price { amountMinor currency } plan { code currentVersion { number } } features
    limits { key limit policy softMarginPercent unitRate overageCap } graceDays restrictedDays } userErrors { code message field } } }`;
const move = (door: string) => `mutation($id: ID!) { ${door}(input: { id: $id }) {
  planVersion { number status plan { currentVersion { number } } } userErrors { code message field } } }`;
const PUBLISH_ADD_ON = `mutation($input: PublishAddOnInput!) { publishAddOn(input: $input) {
  addOn { id code name ladder version isForSale price { amountMinor } setupFee { amountMinor } limits { key mode amount } maxQuantity
    meter { quota unitRate } } userErrors { code message field } } }`;
const PRICE = { amountMinor: '34900', currency: 'USD' };
const PROFESSIONAL = {
  ...{ plan: 'professional', price: PRICE, annualDiscountPercent: '20', trialDays: 30 },
  features: ['tickets', 'crm', 'projects', 'analytics', 'webhooks', 'api_keys'],
  limits: [
    { key: 'subscribers', limit: '6000', unitRate: '0.08' },
    { key: 'staff_users', isUnlimited: true },
    { key: 'api_calls', limit: '500000', policy: 'OVERAGE', unitRate: '0.001', overageCap: '100000' },
  ],
};

describe('The platform writes its catalogue', () => {
  let world: LicensingWorld;
  beforeAll(async () => {
    world = await openLicensingWorld();
  });
  afterAll(() => world?.close());

  const run = async (query: string, variables: Record<string, unknown>, who: Asker = NGOZI) => {
    const { data, errors } = await world.ask(who, query, variables);
    expect(errors).toBeUndefined();
    return Object.values(data as object)[0] as Answer;
  };
  const draft = (input: object) => run(DRAFT, { input });
  const publish = (id: string) => run(move('publishPlanVersion'), { id });
  const retire = (id: string) => run(move('retirePlanVersion'), { id });
  const forSale = async () =>
    (await run('{ plan(code: "professional") { currentVersion { number price { amountMinor } } } }', {}, WREN))
      .currentVersion;

  test('a draft is the next version of its plan, seen by the platform alone, and can be written anew', async () => {
    const first = await draft({ ...PROFESSIONAL, price: { ...PRICE, amountMinor: '1' } });
    expect(first).toMatchObject({
      planVersion: { number: 2, status: 'DRAFT', graceDays: 7, restrictedDays: 14 },
      userErrors: [],
    });
    const again = await draft({ ...PROFESSIONAL, id: first.planVersion.id });
    expect(again.planVersion).toMatchObject({
      ...{
        id: first.planVersion.id,
        number: 2,
        price: PRICE,
        plan: { code: 'professional', currentVersion: { number: 1 } },
      },
      limits: [
        { key: 'subscribers', limit: '6000', policy: 'HARD', unitRate: '0.08', overageCap: null },
        { key: 'staff_users', limit: null, policy: 'HARD', unitRate: null },
        { key: 'api_calls', limit: '500000', policy: 'OVERAGE', unitRate: '0.001', overageCap: '100000' },
      ],
    });
    const versions = '{ plan(code: "professional") { versions { number status } } }';
    expect(await run(versions, {})).toEqual({
      versions: [
        { number: 2, status: 'DRAFT' },
        { number: 1, status: 'PUBLISHED' },
      ],
    });
    const seen = await world.ask(INGRID, versions);
    expect([seen.data.plan.versions, seen.errors[0].extensions.code]).toEqual([null, 'FORBIDDEN']);
    expect(await forSale()).toMatchObject({ number: 1 });
    const entity = 'query($r: [_Any!]!) { _entities(representations: $r) { ... on PlanVersion { number } } }';
    const r = [{ __typename: 'PlanVersion', id: first.planVersion.id }];
    expect((await world.ask(INGRID, entity, { r })).data._entities).toEqual([null]);
    expect((await world.ask(NGOZI, entity, { r })).data._entities).toEqual([{ number: 2 }]);
  });

  test('published, it is what new licences get; who holds the former keeps it and its price', async () => {
    const [{ id }] = await world.sql("select id from licensing.plan_version where number = 2 and status = 'DRAFT'");
    expect(await publish(id)).toMatchObject({
      planVersion: { status: 'PUBLISHED', plan: { currentVersion: { number: 2 } } },
      userErrors: [],
    });
    expect(await forSale()).toEqual({ number: 2, price: { amountMinor: '34900' } });
    const issue = `mutation { issueLicense(input: { tenantId: "${tenantId('oldtown')}", plan: "professional", interval: MONTH, idempotencyKey: "new" }) {
      license { planVersion { number price { amountMinor } } limits { key limit } } userErrors { message } } }`;
    const issued = await run(issue, {});
    expect(issued.license.planVersion).toEqual({ number: 2, price: { amountMinor: '34900' } });
    expect(issued.license.limits).toContainEqual({ key: 'subscribers', limit: '6000' });
    const held = await run(
      '{ license { version planVersion { number status price { amountMinor } } limits { key limit } } }',
      {},
      INGRID,
    );
    expect(held.planVersion).toEqual({ number: 1, status: 'RETIRED', price: { amountMinor: '29900' } });
    expect(held.limits).toContainEqual({ key: 'subscribers', limit: '5000' });
    const told = await world.sql(
      "select tenant_id, actor, payload from kernel.event where name = 'licensing.plan.published'",
    );
    expect(told).toEqual([
      {
        ...{ tenant_id: tenantId('platform'), actor: '01990000-0000-7000-8000-000000006001' },
        payload: {
          ...{ planVersionId: id, code: 'professional', number: 2, priceMinor: '34900', currency: 'USD' },
          ...{ annualDiscountPercent: '20.00', trialDays: 30 },
        },
      },
    ]);
    const [offers] = [JSON.parse((await world.askAs('GATEWAY', '{ offers }')).data.offers)];
    expect(offers.features.crm.requiredPlan).toBe('professional');
  });

  test('a published version does not change: not through a door, and not past it', async () => {
    const [{ id }] = await world.sql("select id from licensing.plan_version where number = 2 and status = 'PUBLISHED'");
    expect((await draft({ ...PROFESSIONAL, id })).userErrors).toEqual([
      { code: 'INVALID_STATE', message: 'A published plan version does not change.', field: 'id' },
    ]);
    expect((await publish(id)).userErrors).toMatchObject([
      { code: 'INVALID_STATE', message: 'A PUBLISHED plan version cannot become PUBLISHED.' },
    ]);
    const attempts = [
      'update licensing.plan_version set price_minor = 1 where id = $1',
      "update licensing.plan_version set status = 'DRAFT' where id = $1",
      "update licensing.plan_version set status = 'RETIRED', features = '{crm}' where id = $1",
    ];
    for (const attempt of attempts)
      await expect(asLicensing(attempt, [id])).rejects.toThrow('A published version does not change.');
    await expect(asLicensing('delete from licensing.plan_version where id = $1', [id])).rejects.toThrow(
      'permission denied',
    );
    await expect(
      asLicensing("update licensing.plan set name = 'Pro' where code = $1", ['professional']),
    ).rejects.toThrow('permission denied');
    await expect(
      asLicensing('update licensing.add_on_version set price_minor = 1 where version = $1', [1]),
    ).rejects.toThrow('permission denied');
  });

  test('retired, a plan is not for sale until its next version is; there is no way back, and no older one overtakes', async () => {
    const [old, next] = [await draft(PROFESSIONAL), await draft(PROFESSIONAL)];
    const [{ id }] = await world.sql("select id from licensing.plan_version where number = 2 and status = 'PUBLISHED'");
    expect((await retire(old.planVersion.id)).userErrors).toMatchObject([
      { message: 'A DRAFT plan version cannot become RETIRED.' },
    ]);
    expect(await retire(id)).toMatchObject({
      planVersion: { status: 'RETIRED', plan: { currentVersion: null } },
      userErrors: [],
    });
    expect((await retire(id)).userErrors).toMatchObject([
      { code: 'INVALID_STATE', message: 'A RETIRED plan version cannot become RETIRED.' },
    ]);
    expect((await publish(id)).userErrors).toMatchObject([
      { message: 'A RETIRED plan version cannot become PUBLISHED.' },
    ]);
    const upgrade =
      'mutation { upgradeLicense(input: { newPlan: "professional", idempotencyKey: "gone" }) { userErrors { code message } } }';
    expect((await run(upgrade, {}, WREN)).userErrors).toEqual([
      { code: 'NOT_FOUND', message: 'There is no plan named professional.' },
    ]);
    expect((await publish(next.planVersion.id)).planVersion).toMatchObject({ number: 4, status: 'PUBLISHED' });
    expect((await publish(old.planVersion.id)).userErrors).toMatchObject([
      { code: 'INVALID_STATE', message: 'A newer version of this plan has been published.', field: 'id' },
    ]);
  });

  test.each([
    [
      'an unknown plan',
      { ...PROFESSIONAL, plan: 'gold' },
      { code: 'NOT_FOUND', message: 'There is no plan named gold.', field: 'plan' },
    ],
    [
      'the internal plan',
      { ...PROFESSIONAL, plan: 'internal' },
      { code: 'NOT_FOUND', message: 'There is no plan named internal.', field: 'plan' },
    ],
    [
      'an unknown draft',
      { ...PROFESSIONAL, id: '01990000-0000-7000-8000-00000000dead' },
      { code: 'NOT_FOUND', message: 'There is no such plan version.', field: 'id' },
    ],
    [
      'a version of another plan',
      { ...PROFESSIONAL, id: '01990000-0000-7000-8000-000000000201' },
      { code: 'NOT_FOUND', message: 'There is no such plan version.', field: 'id' },
    ],
    [
      'what may not be said',
      { ...PROFESSIONAL, features: ['crm.integrations', 'crm'] },
      { code: 'INVALID', message: 'crm.integrations is not available.', field: 'features' },
    ],
  ])('a draft of %s is refused and leaves nothing', async (_what, input, error) => {
    const before = await world.sql('select count(*) from licensing.plan_version');
    expect(await draft(input)).toEqual({ planVersion: null, userErrors: [error] });
    expect(await world.sql('select count(*) from licensing.plan_version')).toEqual(before);
  });

  test('unknown features and quantities that are none are no input at all', async () => {
    for (const [part, message] of [
      [{ features: ['crn'] }, 'Unknown feature: crn.'],
      [{ limits: [{ key: 'subscribers', limit: '1e9' }] }, 'A quantity is a whole number from 0.'],
      [{ limits: [{ key: 'seats', limit: '1' }] }, 'Unknown quota: seats.'],
    ] as const) {
      const { errors } = await world.ask(NGOZI, DRAFT, { input: { ...PROFESSIONAL, ...part } });
      expect(errors[0]).toMatchObject({
        message: expect.stringContaining(message),
        extensions: { code: 'BAD_USER_INPUT' },
      });
    }
  });

  test('an add-on is put on the shelf, gets versions, and is taken off; who holds it keeps it', async () => {
    const input = {
      ...{
        code: 'seats_20',
        name: '20 more seats',
        ladder: 'BASIC',
        price: { amountMinor: '8000', currency: 'USD' },
        maxQuantity: 5,
      },
      limits: [{ key: 'staff_users', amount: '20' }],
      meter: { quota: 'api_calls', unitRate: '0.002' },
    };
    const put = (changes: object = {}) => run(PUBLISH_ADD_ON, { input: { ...input, ...changes } });
    const first = (await put()).addOn;
    expect(first).toMatchObject({
      ...{ code: 'seats_20', ladder: 'BASIC', version: 1, isForSale: true, maxQuantity: 5 },
      ...{
        price: { amountMinor: '8000' },
        setupFee: { amountMinor: '0' },
        meter: { quota: 'api_calls', unitRate: '0.002' },
      },
      limits: [{ key: 'staff_users', mode: 'ADD', amount: '20' }],
    });
    expect((await put()).addOn).toEqual(first); // the same again publishes nothing
    const dearer = { price: { amountMinor: '9000', currency: 'USD' }, name: 'Twenty more seats' };
    expect((await put(dearer)).addOn).toMatchObject({
      id: first.id,
      version: 2,
      name: 'Twenty more seats',
      price: { amountMinor: '9000' },
    });
    const told = await world.sql(
      "select payload from kernel.event where name = 'licensing.add_on.published' order by seq",
    );
    const payload = { addOnId: first.id, code: 'seats_20', setupFeeMinor: '0', currency: 'USD' };
    expect(told.map((row) => row.payload)).toEqual([
      { ...payload, version: 1, priceMinor: '8000' },
      { ...payload, version: 2, priceMinor: '9000' },
    ]);
    const shelf = async () =>
      (await run('{ addOns { code version } }', {}, WREN)) as { code: string; version: number }[];
    expect(await shelf()).toContainEqual({ code: 'seats_20', version: 2 });

    const RETIRE =
      'mutation($id: ID!) { retireAddOn(input: { id: $id }) { addOn { version isForSale } userErrors { code message } } }';
    const [storage] = await world.sql("select id from licensing.add_on where code = 'storage_100'");
    expect(await run(RETIRE, { id: storage.id })).toEqual({ addOn: { version: 1, isForSale: false }, userErrors: [] });
    expect((await shelf()).map(({ code }) => code)).not.toContain('storage_100');
    const held = await run(
      '{ license { addOns { addOn { code isForSale price { amountMinor } } } limits { key limit } } }',
      {},
      WREN,
    );
    expect(held.addOns).toEqual([{ addOn: { code: 'storage_100', isForSale: false, price: { amountMinor: '500' } } }]);
    expect(held.limits).toContainEqual({ key: 'storage_gb', limit: '110000000000' });
    expect((await run(RETIRE, { id: storage.id })).userErrors).toEqual([
      { code: 'INVALID_STATE', message: 'storage_100 is not for sale.' },
    ]);
    expect((await run(RETIRE, { id: 'nonsense' })).userErrors).toEqual([
      { code: 'NOT_FOUND', message: 'There is no such add-on.' },
    ]);
    expect((await put({ maxQuantity: 1_001 })).userErrors).toEqual([
      { code: 'INVALID', message: 'This is 1 to 1000.', field: 'maxQuantity' },
    ]);
  });

  test('ten drafts at once are ten numbers, and of ten publications one version is for sale', async () => {
    const drafts = await Promise.all(
      Array.from({ length: 10 }, () => draft({ ...PROFESSIONAL, plan: 'starter', features: ['tickets'] })),
    );
    const numbers = drafts.map(({ planVersion }) => planVersion.number);
    expect(numbers.toSorted((a, b) => a - b)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    await Promise.all(drafts.map(({ planVersion }) => publish(planVersion.id)));
    const left = await world.sql(
      "select number from licensing.plan_version v join licensing.plan p on p.id = v.plan_id where p.code = 'starter' and v.status = 'PUBLISHED'",
    );
    expect(left).toEqual([{ number: 11 }]);
  });

  test('only the platform manages the catalogue, and its audit log says who did', async () => {
    for (const [query, variables] of [
      [DRAFT, { input: PROFESSIONAL }],
      [move('publishPlanVersion'), { id: 'x' }],
      [move('retirePlanVersion'), { id: 'x' }],
      ['mutation { retireAddOn(input: { id: "x" }) { userErrors { code } } }', {}],
      [PUBLISH_ADD_ON, { input: { code: 'x1', name: 'X', ladder: 'FREE', price: PRICE } }],
    ] as const)
      expect((await world.ask(INGRID, query, variables)).errors[0].extensions.code).toBe('FORBIDDEN');
    const entries = await world.sql(
      "select distinct tenant_id, actor, table_name from kernel.audit_entry where table_name in ('licensing.plan_version', 'licensing.add_on', 'licensing.add_on_version') order by table_name",
    );
    const who = { tenant_id: tenantId('platform'), actor: '01990000-0000-7000-8000-000000006001' };
    expect(entries).toEqual(
      ['licensing.add_on', 'licensing.add_on_version', 'licensing.plan_version'].map((table_name) => ({
        ...who,
        table_name,
      })),
    );
  });

  /** Runs a statement as the service would if its code were wrong. */
  async function asLicensing(text: string, values: unknown[]) {
    const ctx = await world.world.context(NGOZI, 'licensing');
    return ctx.tx((em) => em.execute(text.replace('$1', '?'), values));
  }
});
