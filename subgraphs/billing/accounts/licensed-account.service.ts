import { LockMode } from '@mikro-orm/postgresql';
import { uuidv7 } from 'uuidv7';
import type { LoggedEvent } from '../../../schema/events.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { balanceOf } from '../ledger/posting.service.ts';
import { Customer } from './customer.entity.ts';
import { advance, checkSettled } from './customer.rules.ts';
import { registerCustomer, tell } from './customer.service.ts';

/** The step of a provisioning run that an account is. */
const STEP = 'account';

/**
 * Makes a new tenant a customer of the platform, or takes up the account an undone run had left closed. Asked again, it
 * answers again; asked after the run was undone, it does nothing.
 */
export function openLicensedAccount(
  ctx: Context,
  { payload, personal }: LoggedEvent<'tenancy.provisioning.account_requested'>,
): Promise<void> {
  const { runId, tenantId: licensedTenantId, currency, zone: timeZone, locale } = payload;
  return ctx.tx(async (em) => {
    if (await isUndone(em, runId)) return;
    const held = await em.findOne(Customer, { licensedTenantId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (!held) {
      const name = String(personal?.legalName ?? personal?.name);
      const email = personal?.email ? String(personal.email) : null;
      await registerCustomer(ctx, {
        ...{ id: uuidv7(), name, email, kind: 'BUSINESS', status: 'ACTIVE' },
        ...{ currency, timeZone, locale, licensedTenantId, runId },
      });
      return;
    }
    if (held.status === 'CLOSED') held.status = advance(held.status, 'ACTIVE');
    if (held.runId !== runId) held.version += 1;
    held.runId = runId;
    tell(em, 'created', held, runId);
  });
}

/** Closes the account of an undone run. Throws while money is open on it: somebody must look. */
export function closeLicensedAccount(ctx: Context, { runId, step }: { runId: string; step: string }): Promise<void> {
  if (step !== STEP) return Promise.resolve();
  return ctx.tx(async (em) => {
    const held = await em.findOne(Customer, { runId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (!held) return void emit(em, 'billing.customer.closed', { runId });
    if (held.status !== 'CLOSED') {
      checkSettled(await balanceOf(em, held));
      held.status = advance(held.status, 'CLOSED');
      held.version += 1;
    }
    tell(em, 'closed', held, runId);
  });
}

/** Events are heard in any order: a run may be undone before its request is heard. */
async function isUndone(em: EntityManager, runId: string): Promise<boolean> {
  const [undone] = await em.execute(
    `select 1 from kernel.event where name = 'tenancy.provisioning.undo_requested'
        and payload ->> 'runId' = ? and payload ->> 'step' = ? limit 1`,
    [runId, STEP],
  );
  return undone !== undefined;
}
