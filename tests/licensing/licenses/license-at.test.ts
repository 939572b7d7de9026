import fc from 'fast-check';
import { removeOverride, setOverride } from '../../../subgraphs/licensing/fleet/override.service.ts';
import { advanceLicense } from '../../../subgraphs/licensing/licenses/license-change.service.ts';
import { type Asker, INGRID, NGOZI, WREN } from '../../setup/world.ts';
import { type Answer, type LicensingWorld, openLicensingWorld, tenantId } from '../licensing-world.ts';

/** All that a licence says, but for what is counted now. */
const SAYS = `{ version state enforcement enabledFeatures features { feature access source sourceId expiresAt reason }
  planVersion { id number plan { code } } interval validFrom validUntil trialEndsAt graceEndsAt restrictedEndsAt nextTransitionAt autoRenew
  addOns { id quantity startsAt endsAt addOn { code } } grants { id kind key startsAt expiresAt source reason amount }
  overrides { id key isEnabled limit isUnlimited policy softMarginPercent unitRate expiresAt reason } holds { id kind level reason placedAt placedBy }
  limits { key limit isUnlimited policy source unitRate } tenant { id } }`;
const reason = 'Agreed with their sales.';
const LOOK: Asker = { tenant: 'fable', roles: ['tenant_admin'] };

describe('A licence can be asked what it said and what it will say', () => {
  let world: LicensingWorld;
  beforeAll(async () => {
    world = await openLicensingWorld();
  });
  afterAll(() => world?.close());

  const now = (slug: 'kestrel' | 'northwind' | 'fable') => world.inTenant(slug, (ctx) => ctx.tx(async () => ctx.now()));
  const at = async (who: Asker, instant: Date, says = SAYS): Promise<Answer> => {
    const { data, errors } = await world.ask(who, `query($at: DateTime!) { licenseAt(at: $at) ${says} }`, {
      at: instant.toISOString(),
    });
    expect(errors).toBeUndefined();
    return data.licenseAt;
  };
  const present = async (who: Asker): Promise<Answer> => (await world.ask(who, `{ license ${SAYS} }`)).data.license;
  const door = async (name: string, type: string, input: object) => {
    const { data, errors } = await world.ask(
      NGOZI,
      `mutation($input: ${type}!) { ${name}(input: $input) { license { version } userErrors { code message } } }`,
      { input },
    );
    expect(errors).toBeUndefined();
    expect(data[name].userErrors).toEqual([]);
  };

  test('overrides set and removed: each past answer is given again, and history tells who, when, before and after', async () => {
    const input = { tenantId: tenantId('northwind'), key: 'white_label' };
    const granted = await now('northwind');
    await door('setOverride', 'SetOverrideInput', { ...input, isEnabled: false, reason });
    const shut = await now('northwind');
    await door('removeOverride', 'RemoveOverrideInput', { ...input, reason });
    const back = await now('northwind');
    await door('setOverride', 'SetOverrideInput', { ...input, key: 'subscribers', policy: 'OVERAGE', reason });
    const policy = await now('northwind');
    const says =
      '{ version features(keys: ["white_label"]) { access source reason } limits { key limit policy source } overrides { key } grants { key } }';
    const look = async (instant: Date) => {
      const { version, features, limits, overrides, grants } = await at(INGRID, instant, says);
      const subscribers = limits.find(({ key }: Answer) => key === 'subscribers');
      return [version, features[0], subscribers, overrides, grants];
    };
    const grants = [{ key: 'white_label' }];
    const open = { access: 'FULL', source: 'GRANT', reason: null };
    const hard = { key: 'subscribers', limit: '5000', policy: 'HARD', source: 'PLAN' };
    const [first] = await look(granted);
    expect(await look(granted)).toEqual([first, open, hard, [], grants]);
    expect(await look(shut)).toEqual([
      first + 1,
      { access: 'NONE', source: 'OVERRIDE', reason: 'OVERRIDE_OFF' },
      hard,
      [{ key: 'white_label' }],
      grants,
    ]);
    expect(await look(back)).toEqual([first + 2, open, hard, [], grants]);
    expect(await look(policy)).toEqual([
      first + 3,
      open,
      { ...hard, policy: 'OVERAGE' },
      [{ key: 'subscribers' }],
      grants,
    ]);
    const { data } = await world.ask(
      INGRID,
      '{ licenseHistory(first: 2, keys: ["features.white_label"]) { nodes { version cause actor reason effectiveAt changes { key before after } } } }',
    );
    const [removed, set] = data.licenseHistory.nodes;
    expect(removed).toMatchObject({ version: first + 2, cause: 'OVERRIDE_REMOVED', reason });
    expect(set).toMatchObject({
      ...{ version: first + 1, cause: 'OVERRIDE_SET', reason, actor: '01990000-0000-7000-8000-000000006001' },
      changes: [
        {
          key: 'features.white_label',
          before: expect.stringContaining('GRANT'),
          after: expect.stringContaining('OVERRIDE_OFF'),
        },
      ],
    });
    expect(new Date(set.effectiveAt) > granted && new Date(set.effectiveAt) <= shut).toBe(true);
  });

  test('at the very instant of a change it says the new, a millisecond before still the former', async () => {
    await world.inTenant('kestrel', (ctx) => setOverride(ctx, { key: 'crm', isEnabled: true, reason }));
    const { data } = await world.ask(WREN, '{ licenseHistory(first: 1) { nodes { version effectiveAt } } }');
    const [{ version, effectiveAt }] = data.licenseHistory.nodes;
    const instant = new Date(effectiveAt);
    const says = '{ version features(keys: ["crm"]) { access } }';
    expect(await at(WREN, instant, says)).toEqual({ version, features: [{ access: 'FULL' }] });
    expect(await at(WREN, new Date(instant.getTime() - 1), says)).toEqual({
      version: version - 1,
      features: [{ access: 'NONE' }],
    });
    await world.inTenant('kestrel', (ctx) => removeOverride(ctx, 'crm', reason));
  });

  test('it was nothing before version 1, and nothing for a tenant that never had one', async () => {
    expect(await at(WREN, new Date('2020-01-01T00:00:00Z'), '{ version }')).toBeNull();
    expect(await at({ tenant: 'oldtown', roles: ['tenant_admin'] }, new Date(), '{ version }')).toBeNull();
    expect(
      await at({ tenant: 'oldtown', roles: ['tenant_admin'] }, new Date('2090-01-01T00:00:00Z'), '{ version }'),
    ).toBe(null);
  });

  test('it will close by time at the instants the licence names, to the millisecond', async () => {
    const { validUntil, graceEndsAt, restrictedEndsAt, version } = await present(WREN);
    for (const [instant, state, access] of [
      [validUntil, 'GRACE', 'FULL'],
      [graceEndsAt, 'RESTRICTED', 'READ'],
      [restrictedEndsAt, 'EXPIRED', 'NONE'],
    ]) {
      const says = '{ version state features(keys: ["tickets"]) { access } }';
      expect(await at(WREN, new Date(instant), says)).toEqual({ version, state, features: [{ access }] });
      const before = await at(WREN, new Date(new Date(instant).getTime() - 1), says);
      expect(before.state).not.toBe(state);
    }
  });

  test('beside the present one in the same question neither changes the other', async () => {
    await world.inTenant('kestrel', (ctx) => setOverride(ctx, { key: 'crm', isEnabled: true, reason }));
    const { data } = await world.ask(
      WREN,
      `query($past: DateTime!, $far: DateTime!) { license { ...L } past: licenseAt(at: $past) { ...L } far: licenseAt(at: $far) { ...L } again: license { ...L } }
       fragment L on License { id version state features(keys: ["crm"]) { access reason } overrides { key } }`,
      { past: new Date(Date.now() - 10 * 60_000).toISOString(), far: '2090-01-01T00:00:00Z' },
    );
    expect(data.license).toMatchObject({
      state: 'ACTIVE',
      features: [{ access: 'FULL' }],
      overrides: [{ key: 'crm' }],
    });
    expect(data.again).toEqual(data.license);
    expect(data.far).toMatchObject({ id: data.license.id, state: 'EXPIRED', features: [{ access: 'NONE' }] });
    await world.inTenant('kestrel', (ctx) => removeOverride(ctx, 'crm', reason));
  });

  test('whoever may not read the licence may not read its past', async () => {
    const { data, errors } = await world.ask(
      { tenant: 'kestrel', roles: ['technician'] },
      '{ licenseAt(at: "2030-01-01T00:00:00Z") { version } }',
    );
    expect(data.licenseAt).toBeNull();
    expect(errors[0].extensions.code).toBe('FORBIDDEN');
  });

  test('what is kept of the past cannot be rewritten', async () => {
    await expect(
      world.inTenant('kestrel', (ctx) => ctx.tx((em) => em.execute('update licensing.license_past set facts = null'))),
    ).rejects.toThrow('permission denied');
    await expect(
      world.inTenant('kestrel', (ctx) => ctx.tx((em) => em.execute('delete from licensing.license_past'))),
    ).rejects.toThrow('permission denied');
  });

  describe('whatever is changed, in whatever order', () => {
    const fable = tenantId('fable');
    let offset = 0;
    const move = async (hours: number) => {
      offset += hours * 3_600;
      await world.sql('update kernel.tenant_profile set clock_offset_seconds = $1 where tenant_id = $2', [
        offset,
        fable,
      ]);
    };
    const ahead = async (days: number) => new Date((await now('fable')).getTime() + days * 86_400_000).toISOString();
    let keys = 0;

    /** A move of the platform; what is refused changes nothing, and is a move all the same. */
    const moves: Record<string, (days: number) => Promise<[string, string, object]>> = {
      override: async (days) => [
        'setOverride',
        'SetOverrideInput',
        {
          key: days % 2 ? 'crm' : 'white_label',
          isEnabled: days % 3 === 0,
          expiresAt: days % 4 ? await ahead(days) : null,
        },
      ],
      limit: async (days) => [
        'setOverride',
        'SetOverrideInput',
        { key: 'subscribers', limit: String(days % 2 ? 5_000 : days) },
      ],
      unset: async (days) => [
        'removeOverride',
        'RemoveOverrideInput',
        { key: ['crm', 'white_label', 'subscribers'][days % 3] },
      ],
      grant: async (days) => [
        'grantEntitlement',
        'GrantEntitlementInput',
        {
          ...{
            kind: 'FEATURE',
            key: days % 2 ? 'fieldops' : 'crm',
            source: 'SALES',
            idempotencyKey: `grant ${keys++}`,
          },
          ...{ startsAt: days % 3 ? null : await ahead(1), expiresAt: await ahead(days + 1) },
        },
      ],
      extend: async (days) => ['extendTrial', 'ExtendTrialInput', { until: await ahead(days + 20) }],
      hold: async (days) => [
        'placeLicenseHold',
        'PlaceLicenseHoldInput',
        { kind: 'OPERATOR', level: days % 2 ? 'RESTRICTED' : 'SUSPENDED' },
      ],
    };
    const endOne = async (noun: 'grants' | 'holds') => {
      const [first] = (await present(LOOK))[noun];
      const [name, type] =
        noun === 'grants' ? ['endGrant', 'EndGrantInput'] : ['liftLicenseHold', 'LiftLicenseHoldInput'];
      if (first)
        await world.ask(NGOZI, `mutation($input: ${type}!) { ${name}(input: $input) { userErrors { code } } }`, {
          input: { id: first.id, reason },
        });
    };

    test('it answers of each past instant what it answered then', async () => {
      const step = fc.record({
        what: fc.constantFrom(...Object.keys(moves), 'endGrant', 'lift'),
        days: fc.integer({ min: 1, max: 30 }),
        hours: fc.integer({ min: 1, max: 200 }),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 12 }), async (steps) => {
          const seen: { instant: Date; answer: Answer }[] = [];
          for (const { what, days, hours } of steps) {
            if (what === 'endGrant' || what === 'lift') await endOne(what === 'lift' ? 'holds' : 'grants');
            else {
              const [name, type, input] = await (moves[what] as (typeof moves)[string])(days);
              const asked = { input: { tenantId: fable, reason, ...input } };
              await world.ask(
                NGOZI,
                `mutation($input: ${type}!) { ${name}(input: $input) { userErrors { code } } }`,
                asked,
              );
            }
            seen.push({ instant: await now('fable'), answer: await present(LOOK) });
            await move(hours);
            await world.inTenant('fable', advanceLicense);
            seen.push({ instant: await now('fable'), answer: await present(LOOK) });
          }
          for (const { instant, answer } of seen) expect(await at(LOOK, instant)).toEqual(answer);
        }),
        { numRuns: 6 },
      );
    }, 240_000);
  });
});
