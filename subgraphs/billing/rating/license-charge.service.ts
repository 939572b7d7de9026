import { uuidv7 } from 'uuidv7';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import type { Customer } from '../accounts/customer.entity.ts';
import { Charge } from './charge.entity.ts';
import { post } from './charge.service.ts';
import type { LicenseLine } from './license-line.rules.ts';

/** Which licence lines are about, what asked for them, and the document they stand on. */
export type LicenseSubject = Pick<Charge, 'licenseId' | 'changeId' | 'askedSeq' | 'invoiceId'>;

/** Those of the lines that are not charged yet, by their keys. The customer is locked. */
export async function unchargedOf(em: EntityManager, lines: readonly LicenseLine[]): Promise<LicenseLine[]> {
  const known = await em.find(Charge, { key: { $in: lines.map(({ key }) => key) } });
  const isKnown = new Set(known.map(({ key }) => key));
  return lines.filter(({ key }) => !isKnown.has(key));
}

/**
 * Charges the customer for each line, which nobody has charged yet. Throws for another currency than the customer's, so
 * that the job fails visibly.
 */
export async function chargeLines(
  ctx: Context,
  em: EntityManager,
  customer: Customer,
  lines: readonly LicenseLine[],
  subject: LicenseSubject,
): Promise<void> {
  for (const { currency, ...line } of lines) {
    if (currency !== customer.currency)
      throw new Error(`${line.key} is priced in ${currency}, its customer pays in ${customer.currency}.`);
    await post(ctx, em, customer, { id: uuidv7(), kind: 'LICENSE', ...line, ...subject });
  }
}
