import { Refusal } from '../../schema/errors.ts';
import { clockMovedBy } from '../../subgraphs/tenancy/tenant.rules.ts';

const sandbox = (clockOffsetSeconds = 0) => ({ kind: 'SANDBOX' as const, zone: 'Europe/London', clockOffsetSeconds });
const NOW = new Date('2027-03-17T12:00:00.000Z');
const DAY = 86_400;

function refusalOf(run: () => unknown): Pick<Refusal, 'code' | 'message' | 'field'> | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof Refusal) return { code: error.code, message: error.message, field: error.field };
    throw error;
  }
  return undefined;
}

describe('The clock of a sandbox', () => {
  test.each([
    ['PT1S', 0, 1],
    ['PT1H30M', 100, 5_500],
    ['P10D', 0, 10 * DAY],
    ['P14D', 0, 14 * DAY - 3_600], // summer time begins on the way: the same local time, an hour earlier
    ['P1M', 0, 31 * DAY - 3_600],
    ['P5Y', 0, 5 * 365 * DAY + 2 * DAY],
  ])('moved by %s from %i seconds ahead it is %i seconds ahead', (by, from, to) => {
    expect(clockMovedBy(sandbox(from), by, NOW)).toBe(to);
  });

  const SHAPE = 'A duration is written like P14D or PT1H30M, in whole seconds.';
  test.each([
    ['fourteen days', SHAPE],
    ['', SHAPE],
    ['PT0.5S', SHAPE],
    ['P999999999Y', SHAPE],
    ['-P1D', 'The clock moves forward only.'],
    ['PT0S', 'The clock moves forward only.'],
    ['P5Y1D', 'The clock runs at most 5 years ahead.'],
  ])('is not moved by %p: %s', (by, message) => {
    expect(refusalOf(() => clockMovedBy(sandbox(), by, NOW))).toEqual({ code: 'INVALID', message, field: 'by' });
  });

  test('runs five years ahead in all, in however many moves', () => {
    const ahead = clockMovedBy(sandbox(), 'P4Y', NOW);
    const present = new Date(NOW.getTime() + ahead * 1_000);
    expect(clockMovedBy(sandbox(ahead), 'P1Y', present)).toBe(clockMovedBy(sandbox(), 'P5Y', NOW));
    expect(refusalOf(() => clockMovedBy(sandbox(ahead), 'P1YT1S', present))?.message).toBe(
      'The clock runs at most 5 years ahead.',
    );
  });

  test.each(['PRODUCTION', 'PLATFORM'] as const)('belongs to a sandbox, and a %s tenant has none', (kind) => {
    expect(refusalOf(() => clockMovedBy({ ...sandbox(), kind }, 'P1D', NOW))).toEqual({
      code: 'INVALID_STATE',
      message: 'Only a sandbox has a clock to move.',
      field: 'tenantId',
    });
  });
});
