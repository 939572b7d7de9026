import { advanceLicense } from '../../../subgraphs/licensing/licenses/license-change.service.ts';
import { type Asker, NGOZI } from '../../setup/world.ts';
import { call, eventsOf } from '../fleet/doors.ts';
import { type Answer, type LicensingWorld, openLicensingWorld, tenantId } from '../licensing-world.ts';

const FABLE = tenantId('fable');
const FEN: Asker = { tenant: 'fable', user: '6081', roles: ['tenant_admin'] };
const SAYS = `{ version state interval autoRenew validUntil graceEndsAt nextTransitionAt enabledFeatures features { feature access source reason expiresAt }
  planVersion { number plan { code } } addOns { quantity startsAt endsAt addOn { code } } limits { key limit policy source unitRate }
  scheduledChange { id } }`;

describe('A licence with a change that waits', () => {
  let world: LicensingWorld;
  beforeAll(async () => {
    world = await openLicensingWorld();
    await world.sql(
      `select set_config('app.tenant_id', '${FABLE}', false);
       update licensing.license set trial_ends_at = null, anchor_day = 1,
         paid_until = date_trunc('month', now() at time zone zone + interval '1 month') at time zone zone,
         granted_until = date_trunc('month', now() at time zone zone + interval '1 month') at time zone zone,
         asked_until = date_trunc('month', now() at time zone zone + interval '1 month') at time zone zone where tenant_id = '${FABLE}'`,
    );
    await call(world, 'refreshLicense', { tenantId: FABLE });
    // Counters begin with the licence's periods too, as they do where its anchor has not just been moved.
    await world.sql('update kernel.quota set period_start = null, period_end = null where tenant_id = $1', [FABLE]);
  });
  afterAll(() => world?.close());

  const ask = async (query: string, variables: Record<string, unknown> = {}): Promise<Answer> => {
    const { data, errors } = await world.ask(FEN, query, variables);
    expect(errors).toBeUndefined();
    return data;
  };
  const present = async (): Promise<Answer> => (await ask(`{ license ${SAYS} }`)).license;
  const at = async (instant: Date): Promise<Answer> =>
    (await ask(`query($at: DateTime!) { licenseAt(at: $at) ${SAYS} }`, { at: instant.toISOString() })).licenseAt;
  const now = () => world.inTenant('fable', (ctx) => ctx.tx(async () => ctx.now()));
  const change = async (wanted: object, key: string): Promise<Answer> => {
    const { previewLicenseChange: seen } = await ask(
      'query($input: LicenseChangeInput!) { previewLicenseChange(input: $input) { hash pricedAt } }',
      { input: wanted },
    );
    const input = { change: wanted, pricedAt: seen.pricedAt, previewHash: seen.hash, idempotencyKey: key };
    const { changeLicense } = await ask(
      'mutation($input: CommitLicenseChangeInput!) { changeLicense(input: $input) { change { status effectiveAt } userErrors { code message } } }',
      { input },
    );
    expect(changeLicense.userErrors).toEqual([]);
    return changeLicense.change;
  };

  test('is foreseen with what it will be from that instant on, and its past tells since when it was foreseen', async () => {
    await change(
      {
        addOns: [
          { code: 'subscribers_500', quantity: 2 },
          { code: 'priority_support', quantity: 1 },
        ],
      },
      'more',
    );
    const seen = [{ instant: await now(), answer: await present() }];
    const wanted = {
      plan: 'starter',
      addOns: [
        { code: 'subscribers_500', quantity: 2 },
        { code: 'storage_100', quantity: 1 },
      ],
    };
    const { status, effectiveAt } = await change(wanted, 'less');
    expect(status).toBe('SCHEDULED');
    seen.push({ instant: await now(), answer: await present() });
    const end = new Date(effectiveAt);
    const foreseen = [await at(new Date(end.getTime() - 1)), await at(end)];
    expect(foreseen[0]).toMatchObject({
      planVersion: { plan: { code: 'professional' } },
      scheduledChange: { id: expect.anything() },
    });
    expect(foreseen[1]).toMatchObject({ planVersion: { plan: { code: 'starter' } }, scheduledChange: null });
    expect(foreseen[1].addOns.map(({ addOn }: Answer) => addOn.code).sort()).toEqual([
      'storage_100',
      'subscribers_500',
    ]);
    expect(foreseen[1].features.find(({ feature }: Answer) => feature === 'crm')).toMatchObject({
      access: 'NONE',
      reason: 'DOWNGRADED',
    });

    await world.sql('update kernel.tenant_profile set clock_offset_seconds = $1 where tenant_id = $2', [
      Math.ceil((end.getTime() - Date.now()) / 1_000) + 60,
      FABLE,
    ]);
    const { version: _, ...unwritten } = await present();
    const { version: __, ...then } = foreseen[1];
    expect(unwritten).toEqual(then);
    await world.inTenant('fable', advanceLicense);
    const written = await present();
    expect(written).toEqual({ ...then, version: seen[1]?.answer.version + 1 });
    seen.push({ instant: await now(), answer: written });
    expect(await at(end)).toEqual(written);
    for (const { instant, answer } of seen) expect(await at(instant)).toEqual(answer);
  });

  test('that is revoked gives the change up, and the next licence can plan its own', async () => {
    await change({ plan: 'starter', addOns: [] }, 'still less');
    const waiting = (await present()).scheduledChange;
    await world.sql(
      `select set_config('app.tenant_id', '${FABLE}', false); insert into licensing.license_revocation (tenant_id, license_id, asked_by, asked_at, reason)
       select tenant_id, id, '01990000-0000-7000-8000-000000006002', now() + make_interval(secs => (select clock_offset_seconds from kernel.tenant_profile where tenant_id = '${FABLE}')), 'The first of two.' from licensing.license where tenant_id = '${FABLE}'`,
    );
    expect(await call(world, 'revokeLicense', { tenantId: FABLE, reason: 'The second of two.' }, NGOZI)).toMatchObject({
      license: { state: 'REVOKED' },
    });
    expect(await present()).toMatchObject({ state: 'REVOKED', scheduledChange: null });
    expect(await eventsOf(world, FABLE, 'licensing.change.cancelled')).toEqual([
      { changeId: waiting.id, licensedTenantId: FABLE },
    ]);
    const anew = { tenantId: FABLE, plan: 'professional', interval: 'MONTH', idempotencyKey: 'anew' };
    expect(await call(world, 'issueLicense', anew)).toMatchObject({ license: { state: 'ACTIVE' }, userErrors: [] });
    expect((await change({ plan: 'starter' }, 'less again')).status).toBe('SCHEDULED');
  });
});
