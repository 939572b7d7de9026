import { LockMode } from '@mikro-orm/postgresql';
import { uuidv7 } from 'uuidv7';
import { localDate } from '../../../schema/calendar.ts';
import { anywhere, asId, keyAfter } from '../../../schema/cursor.ts';
import { Refusal } from '../../../schema/errors.ts';
import { type Connection, connect, type PageArgs } from '../../../schema/page.ts';
import { expectVersion } from '../../../schema/words.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import { nextNumber } from '../../_kernel/number-series.ts';
import { tenantProfile } from '../../_kernel/tenant-profile.ts';
import { balanceOf } from '../ledger/posting.service.ts';
import { Customer } from './customer.entity.ts';
import {
  advance,
  type CustomerKind,
  type CustomerStatus,
  type CustomerTexts,
  checkSettled,
  checkTerms,
  checkTexts,
} from './customer.rules.ts';

export interface NewCustomer extends CustomerTexts {
  name: string;
  kind: CustomerKind;
  currency?: string | null;
  billingDay?: number | null;
}

export interface CustomerFilter {
  text?: string | null;
  status?: CustomerStatus | null;
}

/** Customers in the order they came, those whose name, number or e-mail holds `text`. */
export async function listCustomers(
  ctx: Context,
  filter: CustomerFilter,
  page: PageArgs,
): Promise<Connection<Customer>> {
  const after = keyAfter(page, asId);
  const text = filter.text?.trim() ? anywhere(filter.text) : null;
  const rows = await (await ctx.em()).find(
    Customer,
    {
      ...(after ? { id: { $gt: after } } : {}),
      ...(filter.status ? { status: filter.status } : {}),
      ...(text ? { $or: [{ name: { $ilike: text } }, { number: { $ilike: text } }, { email: { $ilike: text } }] } : {}),
    },
    { orderBy: { id: 'asc' }, limit: page.first + 1 },
  );
  return connect(rows, page, (customer) => [customer.id]);
}

/** Opens an account for somebody who has no service yet. Currency and zone are the tenant's unless given. */
export function createCustomer(ctx: Context, given: NewCustomer): Promise<Customer> {
  return registerCustomer(ctx, { ...given, id: uuidv7(), status: 'PROSPECT' });
}

type Registered = NewCustomer & { id: string; status: CustomerStatus; licensedTenantId?: string; runId?: string };

/** Takes in a customer as it stands elsewhere: one an import brings, or the ISP a new tenant belongs to. */
export function registerCustomer(ctx: Context, given: Registered): Promise<Customer> {
  return ctx.tx(async (em) => {
    const profile = await tenantProfile(em);
    const texts = checkTexts(given);
    const timeZone = texts.timeZone ?? profile.zone;
    const today = Number(localDate(ctx.now(), timeZone).slice(8));
    const terms = { currency: given.currency ?? profile.currency, billingDay: given.billingDay ?? today };
    checkTerms(terms);
    const number = await nextNumber(em, 'customer', 'C');
    const customer = em.create(Customer, { ...texts, ...terms, timeZone, number, version: 1, createdAt: ctx.now() });
    await em.persist(customer).flush();
    tell(em, 'created', customer, given.runId);
    return customer;
  });
}

/** Changes what a customer is called and where it is reached. Refuses CONFLICT over a newer version. */
export function updateCustomer(
  ctx: Context,
  input: CustomerTexts & { customerId: string; expectedVersion: number },
): Promise<Customer> {
  return ctx.tx(async (em) => {
    const { customerId, expectedVersion, ...given } = input;
    const customer = await lockCustomer(em, customerId);
    expectVersion(customer.version, expectedVersion, 'customer');
    const texts = checkTexts(given);
    customer.name = texts.name ?? customer.name;
    customer.timeZone = texts.timeZone ?? customer.timeZone;
    for (const key of ['email', 'phone', 'locale'] as const) if (texts[key] !== undefined) customer[key] = texts[key];
    if (texts.billingAddress !== undefined) customer.billingAddress = texts.billingAddress;
    customer.version += 1;
    tell(em, 'updated', customer);
    return customer;
  });
}

/** Ends an account on which nothing is open. Refuses INVALID_STATE while money is owed either way. */
export function closeCustomer(ctx: Context, customerId: string): Promise<Customer> {
  return ctx.tx(async (em) => {
    const customer = await lockCustomer(em, customerId);
    customer.status = advance(customer.status, 'CLOSED');
    checkSettled(await balanceOf(em, customer));
    customer.version += 1;
    tell(em, 'closed', customer);
    return customer;
  });
}

/** Takes a closed account up again. */
export function reopenCustomer(ctx: Context, customerId: string): Promise<Customer> {
  return ctx.tx(async (em) => {
    const customer = await lockCustomer(em, customerId);
    if (customer.status !== 'CLOSED') throw new Refusal('INVALID_STATE', 'This customer is not closed.', 'status');
    customer.status = advance(customer.status, 'ACTIVE');
    customer.version += 1;
    tell(em, 'reopened', customer);
    return customer;
  });
}

/** A prospect's first service is on line: from now on it is a customer. Later services change nothing. */
export function activateCustomer(ctx: Context, customerId: string): Promise<void> {
  return ctx.tx(async (em) => {
    const customer = await em.findOne(Customer, { id: customerId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (customer?.status !== 'PROSPECT') return;
    customer.status = advance(customer.status, 'ACTIVE');
    customer.version += 1;
    tell(em, 'updated', customer);
  });
}

/** The customer, locked until the transaction ends so that its balance holds still; or NOT_FOUND. */
export const lockCustomer = (em: EntityManager, id: string) => lockOrRefuse(em, Customer, id, 'customer');

/** Tells what became of a customer; a provisioning run that asked for it hears that it is there, and that it is closed. */
export function tell(
  em: EntityManager,
  what: 'created' | 'updated' | 'closed' | 'reopened',
  customer: Customer,
  runId?: string | null,
): void {
  const { id, kind, status, version, licensedTenantId } = customer;
  const isAboutPerson = what === 'created' || what === 'updated';
  emit(
    em,
    `billing.customer.${what}`,
    {
      ...{ customerId: id, kind, status, version },
      ...(licensedTenantId ? { licensedTenantId } : {}),
      ...(runId ? { runId } : {}),
    },
    isAboutPerson ? personalOf(customer) : undefined,
  );
}

const personalOf = ({ id, name, email, phone, billingAddress, locale }: Customer) => ({
  subject: id,
  name,
  email: email ?? null,
  phone: phone ?? null,
  billingAddress: billingAddress ?? null,
  language: locale ?? null,
});
