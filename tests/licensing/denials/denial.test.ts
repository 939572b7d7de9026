import { randomUUID } from 'node:crypto';
import { uuidv7 } from 'uuidv7';
import { seedId } from '../../../subgraphs/_kernel/seed-world.ts';
import { noteBought, pruneDenials } from '../../../subgraphs/licensing/denials/denial.service.ts';
import { INGRID, NGOZI, WREN } from '../../setup/world.ts';
import { type LicensingWorld, openLicensingWorld, tenantId } from '../licensing-world.ts';

const RECORD = 'mutation($denials: [DenialReport!]!) { recordDenials(denials: $denials) }';
const DAY_MS = 86_400_000;

describe('Denials as they are kept', () => {
  let licensing: LicensingWorld;
  beforeAll(async () => {
    licensing = await openLicensingWorld();
  }, 60_000);
  afterAll(() => licensing?.close());

  const told = (over: object = {}) => ({
    ...{
      id: uuidv7(),
      tenantId: tenantId('kestrel'),
      feature: 'crm',
      coordinate: 'Query.leads',
      reason: 'NOT_IN_PLAN',
    },
    ...{ plan: 'starter', actor: seedId('6011'), at: new Date().toISOString(), wasObserved: false, ...over },
  });
  const record = (denials: object[]) => licensing.askAs('GATEWAY', RECORD, { denials });
  const rowsOf = (ids: string[]) =>
    licensing.sql('select * from licensing.denial where id = any($1) order by at, id', [ids]);

  test('a gateway tells denials of several tenants at once, and again, and each stands once with its tenant', async () => {
    const denials = [
      told(),
      told({ tenantId: tenantId('oldtown'), plan: null, reason: 'NO_LICENSE' }),
      told({ actor: null }),
    ];
    expect(await record(denials)).toEqual({ data: { recordDenials: true } });
    expect(await record(denials)).toEqual({ data: { recordDenials: true } });
    const rows = await rowsOf(denials.map(({ id }) => id));
    expect(rows.map(({ tenant_id }) => tenant_id).sort()).toEqual(denials.map((denial) => denial.tenantId).sort());
  });

  test('what makes no sense is left out and keeps nothing else from being written', async () => {
    const good = told();
    expect(await record([told({ feature: 'crn' }), told({ tenantId: 'x' }), good])).toEqual({
      data: { recordDenials: true },
    });
    expect(await rowsOf([good.id])).toHaveLength(1);
  });

  test('nobody but a gateway tells of denials', async () => {
    for (const answer of [
      await licensing.askAs('ANONYMOUS', RECORD, { denials: [told()] }),
      await licensing.ask(NGOZI, RECORD, { denials: [told()] }),
    ])
      expect(answer.errors?.[0]).toMatchObject({ message: 'Please sign in.', extensions: { code: 'UNAUTHENTICATED' } });
  });

  test('one of a sandbox stands on the sandbox’s own clock', async () => {
    await licensing.sql('update kernel.tenant_profile set clock_offset_seconds = 864000 where tenant_id = $1', [
      tenantId('fable'),
    ]);
    const ahead = told({ tenantId: tenantId('fable') });
    await record([ahead]);
    const [row] = await rowsOf([ahead.id]);
    expect(Math.abs(row.at.getTime() - Date.now() - 10 * DAY_MS)).toBeLessThan(5_000);
  });

  test('an observed denial was shown to nobody: it is no click’s and does not count', async () => {
    const observed = told({ id: seedId('2eff'), wasObserved: true, at: new Date(Date.now() - 60_000).toISOString() });
    const counted = async () =>
      (await licensing.ask(NGOZI, '{ upgradeConversion { denials clicked conversion } }')).data.upgradeConversion;
    const before = await counted();
    await record([observed]);
    expect(await counted()).toEqual(before);
    const { data } = await licensing.ask(
      WREN,
      'mutation($id: ID!) { recordUpgradeClick(input: { denialId: $id }) { denial { id } userErrors { code } } }',
      { id: observed.id },
    );
    expect(data.recordUpgradeClick).toEqual({ denial: null, userErrors: [{ code: 'NOT_FOUND' }] });
  });

  test('a purchase is the consequence of clicks of the seven days before it, of that feature alone', async () => {
    const now = Date.now();
    const clickedDaysAgo = { recent: 6.9, old: 7.1, other: 1, unclicked: null };
    const ids: Record<string, string> = {};
    for (const [name, days] of Object.entries(clickedDaysAgo)) {
      const denial = told({
        tenantId: tenantId('atlas'),
        feature: name === 'other' ? 'tickets' : 'crm',
        at: new Date(now - 8 * DAY_MS).toISOString(),
      });
      ids[name] = denial.id;
      await record([denial]);
      if (days !== null)
        await licensing.sql('update licensing.denial set clicked_at = $2 where id = $1', [
          denial.id,
          new Date(now - days * DAY_MS),
        ]);
    }
    const boughtOf = async () => {
      const rows = await rowsOf(Object.values(ids));
      return rows.filter((row) => row.bought_at).map((row) => Object.keys(ids).find((name) => ids[name] === row.id));
    };
    await licensing.inTenant('atlas', (ctx) => noteBought(ctx, 'crm', 'TRIAL', new Date(now)));
    expect(await boughtOf()).toEqual([]);
    await licensing.inTenant('atlas', (ctx) => noteBought(ctx, 'crm', 'ADD_ON', new Date(now)));
    expect(await boughtOf()).toEqual(['recent']);
    const [first] = await rowsOf([String(ids.recent)]);
    await licensing.inTenant('atlas', (ctx) => noteBought(ctx, 'crm', 'PLAN', new Date(now + 1_000)));
    expect((await rowsOf([String(ids.recent)]))[0].bought_at).toEqual(first.bought_at);
  });

  test('after ninety days only the totals of each day are left, and adding up again changes nothing', async () => {
    const at = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString();
    const old = [
      told({ at: at(91), tenantId: tenantId('northwind') }),
      told({ at: at(91), tenantId: tenantId('northwind'), wasObserved: true }),
      told({ at: at(91), tenantId: tenantId('northwind'), feature: 'fieldops' }),
      told({ at: at(91), tenantId: tenantId('harbour'), plan: null }),
    ];
    const young = told({ at: at(89), tenantId: tenantId('northwind') });
    await record([...old, young]);
    await licensing.sql('update licensing.denial set clicked_at = at where id = $1', [old[0]?.id]);
    const totals = () =>
      licensing.sql(
        'select tenant_id, feature, plan, denials, observed, clicked, bought from licensing.denial_day order by tenant_id, feature',
      );
    for (let i = 0; i < 2; i++) {
      await licensing.inTenant('platform', pruneDenials);
      expect(await totals()).toEqual([
        {
          tenant_id: tenantId('northwind'),
          feature: 'crm',
          plan: 'starter',
          denials: 1,
          observed: 1,
          clicked: 1,
          bought: 0,
        },
        {
          tenant_id: tenantId('northwind'),
          feature: 'fieldops',
          plan: 'starter',
          denials: 1,
          observed: 0,
          clicked: 0,
          bought: 0,
        },
        {
          tenant_id: tenantId('harbour'),
          feature: 'crm',
          plan: 'none',
          denials: 1,
          observed: 0,
          clicked: 0,
          bought: 0,
        },
      ]);
    }
    expect(await rowsOf([...old, young].map(({ id }) => id))).toHaveLength(1);
    const again = told({ at: at(91), tenantId: tenantId('northwind') });
    await record([again]);
    await licensing.inTenant('platform', pruneDenials);
    expect((await totals())[0]).toMatchObject({ feature: 'crm', denials: 2 });
  });

  test('the world has forty denials of Kestrel’s last week, ten of them clicked', async () => {
    const { data } = await licensing.ask(
      NGOZI,
      'query($id: ID!) { denials(filter: { tenantId: $id, feature: "crm", isClicked: true }, first: 100) { nodes { coordinate reason at } } }',
      { id: tenantId('kestrel') },
    );
    expect(data.denials.nodes).toHaveLength(10);
    for (const denial of data.denials.nodes)
      expect(denial).toMatchObject({ coordinate: 'Query.contacts', reason: 'NOT_IN_PLAN' });
  });

  test('a licence and a denial of another tenant answer as ids that nothing has', async () => {
    const entity = (id: string) =>
      licensing.ask(INGRID, 'query($r: [_Any!]!) { _entities(representations: $r) { ... on License { version } } }', {
        r: [{ __typename: 'License', id }],
      });
    const sable = await entity(seedId('2a04'));
    expect(sable).toEqual({ data: { _entities: [null] } });
    expect(sable).toEqual(await entity(randomUUID()));
    expect((await entity(seedId('2a02'))).data._entities[0]).toEqual({ version: expect.any(Number) });
  });
});
