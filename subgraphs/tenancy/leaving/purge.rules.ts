import { Refusal } from '../../../schema/errors.ts';
import type { TenantState } from '../tenant.rules.ts';

/** A domain that has not answered is asked again after this time, milliseconds. */
export const ASK_AGAIN_MS = 3_600_000;
/** One that is silent for so long is reported, milliseconds. */
export const REPORT_MS = 86_400_000;

/** What the law makes the platform keep of a tenant: it is in the platform's own books. */
export const KEPT_BY_LAW: readonly string[] = ["the platform's own invoices to this customer, and their payments"];

export interface PurgeFacts {
  state: TenantState;
  closesAt?: Date | null;
  waivesExport: boolean;
  /** Whether an export got ready since it began to close. */
  isExported: boolean;
  isHeld: boolean;
  /** Whether it is being moved to another database. */
  isMoving: boolean;
  approvedBy: readonly string[];
}

/**
 * Who has approved once `approver` does too: the deletion begins with the second of two people. Refuses with
 * INVALID_STATE and what stands against it, with CONFLICT the same person twice.
 */
export function approvals(facts: PurgeFacts, approver: string, now: Date): string[] {
  const refuse = (sentence: string) => new Refusal('INVALID_STATE', sentence, 'tenantId');
  if (facts.state !== 'CLOSING') throw refuse('Only a tenant that is closing can be deleted.');
  if ((facts.closesAt as Date) > now) throw refuse('This tenant may still be reopened.');
  if (facts.isMoving) throw refuse('This tenant is moving.');
  if (facts.isHeld) throw refuse('This tenant is under legal hold.');
  if (!facts.isExported && !facts.waivesExport)
    throw refuse('Its data was not exported, and whoever closed it did not waive that.');
  if (facts.approvedBy.includes(approver)) throw new Refusal('CONFLICT', 'A second person must approve.', 'tenantId');
  return [...facts.approvedBy, approver];
}
