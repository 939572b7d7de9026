import fc from 'fast-check';
import {
  overageLines,
  periodKey,
  pricedLines,
  sumOf,
  takenBack,
} from '../../../subgraphs/billing/rating/license-line.rules.ts';

const period = { periodStart: '2027-03-01T07:00:00.000Z', periodEnd: '2027-04-01T06:00:00.000Z' };
const usage = {
  licenseId: 'l',
  key: 'api_calls',
  excess: '12345',
  unitRate: '0.001',
  currency: 'USD',
  ...period,
} as const;

describe('what is above a limit', () => {
  test.each([
    ['api_calls', '12345', '0.001', 'USD', '12345', 1234n],
    ['api_calls', '12355', '0.001', 'USD', '12355', 1236n],
    ['storage_gb', '1.5', '0.50', 'USD', '1.5', 75n],
    ['storage_gb', '0.01', '0.50', 'USD', '0.01', 0n],
    ['api_calls', '0', '0.001', 'USD', '0', 0n],
    ['api_calls', '4', '0.001', 'USD', '4', 0n],
    ['api_calls', '1005', '1', 'JPY', '1005', 1005n],
  ] as const)('%s: %s at %s %s is %s units and %s', (key, excess, unitRate, currency, quantity, net) => {
    const lines = overageLines({ ...usage, key, excess, unitRate, currency });
    if (net === 0n) expect(lines).toEqual([]);
    else
      expect(lines).toEqual([
        {
          key: `license:l@2027-03-01T07:00:00.000Z:usage:${key}`,
          description: `usage:${key}`,
          ...{ quantity, unitPrice: unitRate, netMinor: net, currency },
          periodStart: new Date(period.periodStart),
          periodEnd: new Date(period.periodEnd),
        },
      ]);
  });
});

describe('lines that licensing has priced', () => {
  const told = (amountMinor: string) => ({ key: 'plan', amountMinor, currency: 'USD', ...period });

  test('keep their amount and say under which key they are charged once', () => {
    expect(pricedLines('c1', [told('-4660'), told('0')])).toEqual([
      {
        ...{ key: 'license:c1:plan', description: 'plan', quantity: '1', unitPrice: '-46.60', netMinor: -4660n },
        ...{ currency: 'USD', periodStart: new Date(period.periodStart), periodEnd: new Date(period.periodEnd) },
      },
    ]);
  });

  test('one instant is one period, however it is written', () => {
    expect(periodKey({ licenseId: 'l', periodStart: '2027-03-01T07:00Z' })).toBe(
      periodKey({ licenseId: 'l', ...period }),
    );
  });

  test('taken back they sum to nothing with what they were', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt(-(10n ** 15n), 10n ** 15n)), (amounts) => {
        const lines = pricedLines(
          'c',
          amounts.map((amount) => told(String(amount))),
        );
        expect(sumOf([...lines, ...takenBack(lines)])).toBe(0n);
        expect(new Set([...lines, ...takenBack(lines)].map(({ key }) => key)).size).toBeLessThanOrEqual(2);
      }),
    );
  });
});
