import { uuidv7 } from 'uuidv7';
import { localDate } from '../../../schema/calendar.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { tenantProfile } from '../../_kernel/tenant-profile.ts';
import { LedgerAccount } from './ledger-account.entity.ts';
import { balancesOf } from './loaders.ts';
import { Posting } from './posting.entity.ts';
import { ACCOUNT_KINDS, amountIn, type Entry, type FactType } from './posting.rules.ts';

export interface Fact {
  type: FactType;
  id: string;
  currency: string;
  entries: readonly Entry[];
}

/**
 * Books a fact as one transaction of the ledger, in the caller's. That its postings sum to 0 is checked by the database
 * when it commits.
 */
export async function book(ctx: Context, em: EntityManager, { type, id, currency, entries }: Fact): Promise<void> {
  const accounts = await accountsOf(em, entries);
  const { zone } = await tenantProfile(em);
  const fact = { transactionId: uuidv7(), factType: type, factId: id, currency };
  const when = { occurredAt: ctx.now(), bookedOn: localDate(ctx.now(), zone) };
  for (const entry of entries) {
    const accountId = accounts(entry);
    em.persist(em.create(Posting, { id: uuidv7(), ...fact, ...when, accountId, amountMinor: entry.amountMinor }));
  }
  await em.flush();
}

/** What the customer owes now, minor units of its currency, this transaction's bookings included. */
export async function balanceOf(em: EntityManager, customer: { id: string; currency: string }): Promise<bigint> {
  const [held] = await balancesOf(em, [customer.id]);
  return amountIn(held?.[1] ?? [], customer.currency);
}

/** Finds the accounts of entries, opening those that are not there; two who open one at once get the same. */
async function accountsOf(em: EntityManager, entries: readonly Entry[]): Promise<(entry: Entry) => string> {
  const wanted = entries.map(({ code, customerId = null }) => ({ code, customerId }));
  const find = () => em.find(LedgerAccount, { $or: wanted });
  let found = await find();
  if (found.length < wanted.length) {
    const opened = wanted.map((w) => ({
      id: uuidv7(),
      code: w.code,
      kind: ACCOUNT_KINDS[w.code],
      customer_id: w.customerId,
    }));
    await em.execute(
      `insert into billing.ledger_account (id, code, kind, customer_id)
       select id, code, kind, customer_id
         from jsonb_to_recordset(?::jsonb) as w(id uuid, code text, kind text, customer_id uuid)
       on conflict do nothing`,
      [JSON.stringify(opened)],
    );
    found = await find();
  }
  const ids = new Map(found.map(({ code, customerId, id }) => [`${code}/${customerId ?? ''}`, id]));
  return ({ code, customerId }) => {
    const id = ids.get(`${code}/${customerId ?? ''}`);
    if (!id) throw new Error(`The ledger has no account ${code}.`);
    return id;
  };
}
