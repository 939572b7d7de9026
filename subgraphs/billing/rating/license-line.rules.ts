import type { Events } from '../../../schema/events.ts';
import { amountOf, majorOf } from './charge.rules.ts';

type Told = Events['licensing.change.applied']['lines'][number];

/** A line licensing has priced, as it is charged once under its key. Below 0 it gives money back. */
export interface LicenseLine {
  key: string;
  description: string;
  quantity: string;
  unitPrice: string;
  netMinor: bigint;
  currency: string;
  periodStart: Date;
  periodEnd: Date;
}

/** The key under which a line of a change, or of a licence's period, is charged once [R73]. */
export const licenseKey = (subject: string, lineKey: string) => `license:${subject}:${lineKey}`;

/** A licence's period in keys. */
export const periodKey = ({ licenseId, periodStart }: { licenseId: string; periodStart: string }) =>
  `${licenseId}@${new Date(periodStart).toISOString()}`;

/** The lines of a change or of a period as told, without those that come to nothing. */
export const pricedLines = (subject: string, lines: readonly Told[]): LicenseLine[] =>
  lines
    .filter(({ amountMinor }) => BigInt(amountMinor) !== 0n)
    .map(({ key, amountMinor, currency, periodStart, periodEnd }) => ({
      key: licenseKey(subject, key),
      description: key,
      quantity: '1',
      unitPrice: majorOf(BigInt(amountMinor), currency),
      netMinor: BigInt(amountMinor),
      currency,
      periodStart: new Date(periodStart),
      periodEnd: new Date(periodEnd),
    }));

type Usage = Pick<
  Events['licensing.usage.reported'],
  'licenseId' | 'key' | 'excess' | 'unitRate' | 'currency' | 'periodStart' | 'periodEnd'
>;

/**
 * What is above the limit at its rate, rounded once, half-even: 12,345 calls × 0.001 are 12.34. Excess and
 * rate are in units of price, so of storage in gigabytes. None where it comes to nothing.
 */
export function overageLines(usage: Usage): LicenseLine[] {
  const { key, excess: quantity, unitRate, currency, periodStart, periodEnd } = usage;
  const netMinor = amountOf(quantity, unitRate, currency);
  if (netMinor === 0n) return [];
  const description = `usage:${key}`;
  return [
    {
      key: licenseKey(periodKey(usage), description),
      ...{ description, quantity, unitPrice: unitRate, netMinor, currency },
      periodStart: new Date(periodStart),
      periodEnd: new Date(periodEnd),
    },
  ];
}

/** The lines that take others back, each once. */
export const takenBack = (lines: readonly LicenseLine[]): LicenseLine[] =>
  lines.map((line) => ({
    ...line,
    key: `${line.key}:stopped`,
    quantity: '1',
    unitPrice: majorOf(-line.netMinor, line.currency),
    netMinor: -line.netMinor,
  }));

export const sumOf = (lines: readonly { netMinor: bigint }[]): bigint =>
  lines.reduce((sum, { netMinor }) => sum + netMinor, 0n);
