import { randomUUID } from 'node:crypto';
import type { EventName, Events, LoggedEvent } from '../../../schema/events.ts';
import type { Context } from '../../../subgraphs/_kernel/context.ts';
import { emit } from '../../../subgraphs/_kernel/events.ts';
import type { SeedTenant } from '../../../subgraphs/_kernel/seed-world.ts';
import { registerCustomer } from '../../../subgraphs/billing/accounts/customer.service.ts';
import { recordPayment } from '../../../subgraphs/billing/payments/payment.service.ts';
import { subscribers } from '../../../subgraphs/billing/subscribers.ts';
import type { Trial } from '../trial.ts';

// biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for
type Row = any;

const DAY_MS = 86_400_000;
export const inDays = (days: number, from = new Date()) => new Date(from.getTime() + days * DAY_MS).toISOString();
export const dateIn = (days: number) => inDays(days).slice(0, 10);

/** A month of the future, or where `days` is below 0 one that has begun. */
export const month = (days = 20, from = new Date()) => ({
  periodStart: inDays(days, from),
  periodEnd: inDays(days + 30, from),
});

export const line = (key: string, amountMinor: number, period = month()) => ({
  ...{ key, amountMinor: String(amountMinor), currency: 'USD' },
  ...period,
});

/** An ISP as the platform's customer, with a licence nobody else speaks of. */
export async function newIsp(trial: Trial, licensedTenantId: string = randomUUID()) {
  const ctx = await trial.system('billing', 'platform');
  const customer = await registerCustomer(ctx, {
    id: randomUUID(),
    name: 'An ISP',
    kind: 'BUSINESS',
    status: 'ACTIVE',
    currency: 'USD',
    licensedTenantId,
  }).finally(() => ctx.end());
  return ispOf(trial, customer.id, licensedTenantId);
}

export type Isp = ReturnType<typeof ispOf>;

export function ispOf(trial: Trial, customerId: string, licensedTenantId: string) {
  const about = { licenseId: randomUUID() as string, licensedTenantId };
  return {
    ...about,
    customerId,
    renewal: (over: Partial<Events['licensing.renewal.requested']> = {}) => {
      const period = { ...month(), ...over };
      const { periodStart, periodEnd } = period;
      const lines = [line('plan:starter@1', 9900, { periodStart, periodEnd })];
      return {
        ...about,
        terms: 'INVOICED',
        interval: 'MONTH',
        lines,
        ...period,
      } as Events['licensing.renewal.requested'];
    },
    change: (over: Partial<Events['licensing.change.applied']> = {}) => {
      const begun = month(-15); // one period: two looks at the clock may be two
      return {
        ...about,
        changeId: randomUUID(),
        status: 'APPLIED',
        effectiveAt: inDays(0),
        lines: [line('credit:plan:starter@1', -4660, begun), line('charge:plan:professional@1', 14074, begun)],
        ...over,
      } as Events['licensing.change.applied'];
    },
    usage: (over: Partial<Events['licensing.usage.reported']> = {}): Events['licensing.usage.reported'] => ({
      ...about,
      ...{ key: 'api_calls', used: '512345', included: '500000', excess: '12345', unitRate: '0.001', currency: 'USD' },
      ...{ ...month(-31), ...over },
    }),
    stop: (): Events['licensing.license.renewal_stopped'] => ({ ...about, endsAt: null }),
    invoices: (): Promise<Row[]> =>
      trial.sql(
        `select id, number, status, total_minor::int as total, open_minor::int as open, due_on::text as due, late_from, issued_at,
                overdue_since, "references" from billing.invoice where customer_id = $1 order by id`,
        [customerId],
      ),
    /** What was told of its invoices and payments, in order: the event's last words and its payload. */
    told: async (): Promise<[string, Row][]> =>
      (
        await trial.sql(
          `select name, payload from kernel.event where payload ->> 'customerId' = $1
              and name ~ '^billing[.](invoice|payment)[.]' order by seq`,
          [customerId],
        )
      ).map(({ name, payload }) => [name.replace('billing.', ''), payload]),
    names: async () =>
      (
        await trial.sql(
          `select name from kernel.event where payload ->> 'customerId' = $1 and name ~ '^billing[.]invoice[.]' order by seq`,
          [customerId],
        )
      ).map(({ name }) => name.replace('billing.invoice.', '') as string),
    pay: (amountMinor: number, idempotencyKey: string = randomUUID()) =>
      inPlatform(trial, (ctx) =>
        recordPayment(ctx, {
          customerId,
          amount: { amountMinor: BigInt(amountMinor), currency: 'USD' },
          method: 'BANK_TRANSFER',
          receivedOn: '2026-01-02',
          idempotencyKey,
        }),
      ),
    /** What the books hold of it: owed, and paid ahead. */
    books: async () => {
      const rows = await trial.sql(
        `select a.code, sum(p.amount_minor)::int as sum from billing.ledger_account a join billing.posting p on p.account_id = a.id
          where a.customer_id = $1 group by 1`,
        [customerId],
      );
      const sums = Object.fromEntries(rows.map(({ code, sum }) => [code, sum]));
      return { owed: sums.AR ?? 0, ahead: 0 - (sums.CREDIT ?? 0) };
    },
  };
}

export async function inPlatform<T>(trial: Trial, run: (ctx: Context) => Promise<T>): Promise<T> {
  const ctx = await trial.system('billing', 'platform');
  return run(ctx).finally(() => ctx.end());
}

type Hearer = Exclude<keyof typeof subscribers, 'activateCustomer'>;

/** Lets a subscriber hear something at a place of the platform's log, as a job does. */
export async function hear(trial: Trial, name: Hearer, payload: object, { seq = 1 } = {}): Promise<void> {
  const ctx = await trial.system('billing', 'platform');
  const event = { id: randomUUID(), tenantId: trial.tenantId('platform'), seq, name: subscribers[name].event, payload };
  await ctx.tx(() => subscribers[name].hear(ctx, event as unknown as LoggedEvent)).finally(() => ctx.end());
}

/** Lets a customer's invoices be late from an instant on, as though they were issued long ago. */
export const age = (trial: Trial, { customerId }: { customerId: string }, late: string) =>
  trial.sql(
    `update billing.invoice set late_from = $2 from (select set_config('app.tenant_id', $3, true)) entered where customer_id = $1`,
    [customerId, late, trial.tenantId('platform')],
  );

/** Writes something into the platform's log and waits until everybody has heard it. */
export async function say<N extends EventName>(trial: Trial, name: N, payload: Events[N]): Promise<void> {
  await inPlatform(trial, (ctx) => ctx.tx(async (em) => void emit(em, name, payload)));
  await trial.untilNoJobs();
}

/** Writes something into an ISP's log what a subscriber listens to, and waits until everybody has heard it. */
export async function sayElsewhere(trial: Trial, tenant: SeedTenant, name: Hearer, payload: object): Promise<void> {
  const ctx = await trial.system('licensing', tenant);
  const { event } = subscribers[name];
  await ctx.tx(async (em) => void emit(em, event, payload as never)).finally(() => ctx.end());
  await trial.untilNoJobs();
}

/** Writes something into the platform's log as heard by nobody yet; its place. */
export async function note<N extends EventName>(trial: Trial, name: N, payload: Events[N]): Promise<number> {
  const [row] = await trial.sql(
    `with head as (update kernel.event_head set seq = seq + 1 where tenant_id = $1 returning seq)
     insert into kernel.event (tenant_id, seq, id, name, at, committed_at, payload)
       select $1, seq, uuidv7(), $2, now(), now(), $3 from head returning seq::int`,
    [trial.tenantId('platform'), name, JSON.stringify(payload)],
  );
  return row.seq;
}

export const trialBalance = (trial: Trial): Promise<Row[]> =>
  trial.sql('select tenant_id, currency from billing.posting group by 1, 2 having sum(amount_minor) <> 0');
