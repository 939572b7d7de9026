import 'reflect-metadata';
import {
  advance,
  checkPremises,
  checkSold,
  lifecycleOf,
  type ServiceLifecycle,
  statusOf,
} from '../../../subgraphs/network/access/service.rules.ts';
import { advance as advancePlan, checkPlan } from '../../../subgraphs/network/access/service-plan.rules.ts';
import { checkSite } from '../../../subgraphs/network/inventory/site.rules.ts';

const LIFECYCLES: ServiceLifecycle[] = ['REQUESTED', 'IN_SERVICE', 'CANCELLED'];

test('only what has not begun is cancelled', () => {
  expect(advance('REQUESTED', 'CANCELLED')).toBe('CANCELLED');
  for (const from of LIFECYCLES)
    for (const to of LIFECYCLES)
      if (!(from === 'REQUESTED' && to === 'CANCELLED'))
        expect(() => advance(from, to)).toThrow(expect.objectContaining({ code: 'INVALID_STATE' }));
});

test('a service on line is shown as ACTIVE, every other as it is', () => {
  expect(LIFECYCLES.map(statusOf)).toEqual(['REQUESTED', 'ACTIVE', 'CANCELLED']);
  expect(LIFECYCLES.map((lifecycle) => lifecycleOf(statusOf(lifecycle)))).toEqual(LIFECYCLES);
});

test('a retired plan is not sold, and stays retired', () => {
  expect(() => checkSold('PUBLISHED')).not.toThrow();
  expect(() => checkSold('RETIRED')).toThrow('This plan is no longer sold.');
  expect(advancePlan('PUBLISHED', 'RETIRED')).toBe('RETIRED');
  expect(() => advancePlan('RETIRED', 'PUBLISHED')).toThrow(expect.objectContaining({ code: 'INVALID_STATE' }));
});

const plan = { code: 'fibre100', kind: 'INTERNET', technology: 'FIBRE', downKbps: 100_000, upKbps: 50_000 } as const;
test.each([
  [{ downKbps: 0 }, 'downKbps'],
  [{ upKbps: -1 }, 'upKbps'],
  [{ code: 'Fibre 100' }, 'code'],
  [{ code: '' }, 'code'],
  [{ code: 'x'.repeat(33) }, 'code'],
])('a plan with %j is refused with its field', (over, field) => {
  expect(checkPlan(plan)).toBe(plan);
  expect(() => checkPlan({ ...plan, ...over })).toThrow(expect.objectContaining({ code: 'INVALID', field }));
});

test('places are on the Earth; longitude comes first', () => {
  const address = { line1: 'Gartenstraße 7', city: 'Berlin', country: 'DE' };
  expect(checkPremises({ address, point: { longitude: 13.4, latitude: 52.5 } })).toMatchObject({
    longitude: 13.4,
    latitude: 52.5,
  });
  expect(checkPremises({ address })).toMatchObject({ longitude: null, latitude: null });
  expect(() => checkPremises({ address, point: { longitude: 13.4, latitude: 95 } })).toThrow('Longitude comes first.');
  expect(() => checkPremises({ address, point: { longitude: 181, latitude: 0 } })).toThrow(
    expect.objectContaining({ field: 'premises.point' }),
  );
});

test('a site has a name and a zone that exists, the tenant’s unless given', () => {
  const site = { name: ' Mitte ', kind: 'POP' } as const;
  expect(checkSite(site, 'Europe/Berlin')).toMatchObject({ name: 'Mitte', zone: 'Europe/Berlin', address: null });
  expect(() => checkSite({ ...site, zone: '+01:00' }, 'UTC')).toThrow(expect.objectContaining({ field: 'zone' }));
  expect(() => checkSite({ ...site, name: 'x'.repeat(81) }, 'UTC')).toThrow(expect.objectContaining({ field: 'name' }));
});
