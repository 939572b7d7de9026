import type { EntityManager } from '../../_kernel/db.ts';
import { defineLoader } from '../../_kernel/loader.ts';
import type { CurrencyAmount } from './posting.rules.ts';

/** What each customer owes by currency: the sum of its accounts. One statement, however many. */
export async function balancesOf(em: EntityManager, ids: readonly string[]): Promise<[string, CurrencyAmount[]][]> {
  const rows = await em.execute(
    `select a.customer_id, p.currency, sum(p.amount_minor)::text as amount
       from billing.ledger_account a join billing.posting p on p.account_id = a.id
      where a.customer_id = any(?::uuid[])
      group by a.customer_id, p.currency`,
    [`{${ids.join(',')}}`],
  );
  const amounts = Map.groupBy(rows, (row) => row.customer_id as string);
  return [...amounts].map(([id, held]) => [
    id,
    held.map(({ currency, amount }) => ({ currency, amountMinor: BigInt(amount) })),
  ]);
}

export const customerBalances = defineLoader<CurrencyAmount[]>('customer balance', balancesOf);
