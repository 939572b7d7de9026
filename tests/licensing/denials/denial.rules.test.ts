import fc from 'fast-check';
import { uuidv7 } from 'uuidv7';
import { DENIAL_REASONS } from '../../../schema/errors.ts';
import { FEATURE_KEYS } from '../../../schema/features.ts';
import {
  checkWindow,
  conversionOf,
  isOnItsWay,
  isPurchase,
  isSound,
} from '../../../subgraphs/licensing/denials/denial.rules.ts';

const ID = '01990000-0000-7000-8000-000000000a01';
const told = {
  ...{ id: ID, tenantId: ID, feature: 'crm', coordinate: 'Customer.contacts', reason: 'NOT_IN_PLAN', plan: 'starter' },
  ...{ actor: null, at: new Date(), wasObserved: false },
};

test('forty denials of which ten were clicked convert by a quarter; of nothing there is no share', () => {
  expect(conversionOf({ denials: 40, clicked: 10, bought: 4 })).toMatchObject({ conversion: 0.25, purchase: 0.4 });
  expect(conversionOf({ denials: 0, clicked: 0, bought: 0 })).toMatchObject({ conversion: null, purchase: null });
  expect(conversionOf({ denials: 5, clicked: 0, bought: 0 })).toMatchObject({ conversion: 0, purchase: null });
});

test('every feature and reason there is can be written down', () => {
  fc.assert(
    fc.property(fc.constantFrom(...FEATURE_KEYS), fc.constantFrom(...DENIAL_REASONS), (feature, reason) =>
      isSound({ ...told, feature, reason }),
    ),
  );
});

test.each([
  { feature: 'core' },
  { feature: 'crn' },
  { reason: 'BECAUSE' },
  { coordinate: 'contacts' },
  { coordinate: `${'x'.repeat(200)}.y` },
  { coordinate: 'A.b; drop table' },
  { plan: 'No Plan' },
  { actor: 'wren' },
  { id: 'x' },
  { tenantId: '' },
])('what makes no sense is not written down: %j', (odd) => {
  expect(isSound({ ...told, ...odd })).toBe(false);
});

test('only an id made in the last seconds can still be on its way', () => {
  const now = Date.now();
  expect(isOnItsWay(uuidv7(), now)).toBe(true);
  expect(isOnItsWay(uuidv7(), now + 3_000)).toBe(false);
  expect(isOnItsWay(uuidv7(), now - 3_000)).toBe(false);
  expect(isOnItsWay(ID, now)).toBe(false);
  expect(isOnItsWay('8d3b5a1c-8a53-4f0e-9d0a-3f2b1c4d5e6f', now)).toBe(false);
});

test('what was paid for is a purchase; a gift, a trial or an exception is none', () => {
  expect(['PLAN', 'ADD_ON', 'GRANT', 'TRIAL', 'OVERRIDE', 'TEST_OVERRIDE', 'DEFAULT'].filter(isPurchase)).toEqual([
    'PLAN',
    'ADD_ON',
  ]);
});

test('a window is as long as denials are kept', () => {
  expect(checkWindow(90)).toBe(90);
  for (const days of [0, -1, 91]) expect(() => checkWindow(days)).toThrow('A window has 1 to 90 days.');
});
