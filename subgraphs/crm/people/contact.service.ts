import { uuidv7 } from 'uuidv7';
import { anywhere, asText, placeAfter } from '../../../schema/cursor.ts';
import { Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import { type Connection, connect, type PageArgs } from '../../../schema/page.ts';
import { expectVersion } from '../../../schema/words.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import { tenantProfile } from '../../_kernel/tenant-profile.ts';
import { Contact, ContactLink, ContactPoint } from './contact.entity.ts';
import {
  type ContactFields,
  type ContactRole,
  type ContactStatus,
  type CustomerPersonal,
  changedContact,
  checkContact,
  checkUnlink,
  MAX_LINKS,
  primaryContactOf,
  type TypedContact,
} from './contact.rules.ts';
import { checkPoints, keyOf, type Point, type TypedPoint } from './contact-point.rules.ts';

/** Characters a search begins with. */
const MIN_SEARCH = 2;

export interface NewContact extends TypedContact {
  points: readonly TypedPoint[];
}

export interface ContactChanges extends Partial<TypedContact> {
  contactId: string;
  expectedVersion: number;
  status?: ContactStatus | null;
  /** All points the contact is to have; null or left out keeps those it has. */
  points?: readonly TypedPoint[] | null;
}

export interface LinkWanted {
  contactId: string;
  customerId: string;
  role: ContactRole;
}

export interface ContactSearch {
  text?: string | null;
  customerId?: string | null;
  status?: ContactStatus | null;
}

/** Contacts by name; `text` finds names, e-mail addresses and numbers. */
export async function listContacts(ctx: Context, search: ContactSearch, page: PageArgs): Promise<Connection<Contact>> {
  if (search.customerId != null && !isId(search.customerId)) return connect<Contact>([], page, () => []);
  const place = placeAfter(page, asText);
  const pattern = search.text == null ? null : anywhere(search.text, MIN_SEARCH);
  const em = await ctx.em();
  const rows = await em.execute(
    `select c.* from crm.contact c
      where (?::text is null or c.status = ?)
        and (?::text is null or c.display_name ilike ? or exists (
              select from crm.contact_point p where p.tenant_id = c.tenant_id and p.contact_id = c.id and p.value ilike ?))
        and (?::uuid is null or exists (
              select from crm.contact_link l
               where l.tenant_id = c.tenant_id and l.contact_id = c.id and l.customer_id = ? and l.until is null))
        and (?::text is null or (c.display_name, c.id) > (?::text, ?::uuid))
      order by c.display_name, c.id limit ?`,
    [
      ...[search.status ?? null, search.status ?? null],
      ...[pattern, pattern, pattern],
      ...[search.customerId ?? null, search.customerId ?? null],
      ...[place?.key ?? null, place?.key ?? null, place?.id ?? null],
      page.first + 1,
    ],
  );
  return connect(
    rows.map((row) => em.map(Contact, row)),
    page,
    (contact) => [contact.displayName, contact.id],
  );
}

/** Writes a contact with the ways to reach it. */
export function createContact(ctx: Context, typed: NewContact): Promise<Contact> {
  return ctx.tx(async (em) => {
    const { country } = await tenantProfile(em);
    const contact = await write(ctx, em, checkContact(typed), checkPoints(typed.points, country));
    await tellChanged(em, contact);
    return contact;
  });
}

/** Changes a contact; `points` replaces the ways to reach it. Throws CONFLICT when it was changed since it was read. */
export function updateContact(ctx: Context, changes: ContactChanges): Promise<Contact> {
  return ctx.tx(async (em) => {
    const contact = await findOrRefuse(em, changes.contactId);
    expectVersion(contact.version, changes.expectedVersion, 'contact');
    const status = changes.status ?? contact.status;
    Object.assign(contact, checkContact(changedContact(contact, changes)), {
      status,
      version: contact.version + 1,
      updatedAt: ctx.now(),
    });
    await em.flush();
    if (changes.points)
      await replacePoints(em, contact.id, checkPoints(changes.points, (await tenantProfile(em)).country));
    await tellChanged(em, contact);
    return contact;
  });
}

/**
 * Says what a contact is to a customer. A new primary contact takes the place of the one before; saying it again
 * changes nothing. Throws NOT_FOUND for an unknown contact or customer: every customer has a primary contact.
 */
export function linkContact(ctx: Context, { contactId, customerId, role }: LinkWanted): Promise<Contact> {
  return ctx.tx(async (em) => {
    const contact = await findOrRefuse(em, contactId);
    const links = await liveLinks(ctx, em, customerId);
    const primary = links.find((link) => link.role === 'PRIMARY');
    if (!primary) throw new Refusal('NOT_FOUND', 'There is no such customer.', 'customerId');
    if (links.some((link) => link.contactId === contact.id && link.role === role)) return contact;
    if (role !== 'PRIMARY' && links.length >= MAX_LINKS)
      throw new Refusal('LIMIT_REACHED', `A customer has at most ${MAX_LINKS} contacts.`, 'customerId');
    const since = role === 'PRIMARY' ? await end(ctx, em, primary) : ctx.now();
    await link(em, { contactId: contact.id, customerId, role }, since);
    return contact;
  });
}

/** Ends what a contact is to a customer. A primary contact is replaced, never removed: INVALID_STATE. */
export function unlinkContact(ctx: Context, { contactId, customerId, role }: LinkWanted): Promise<Contact> {
  return ctx.tx(async (em) => {
    const contact = await findOrRefuse(em, contactId);
    const links = await liveLinks(ctx, em, customerId);
    const found = links.find((live) => live.contactId === contact.id && live.role === role);
    if (!found) throw new Refusal('NOT_FOUND', 'There is no such link.', 'role');
    checkUnlink(role);
    await end(ctx, em, found);
    return contact;
  });
}

/**
 * Makes the primary contact of a new customer from what billing says of it, unless it has one already. Hearing of the
 * customer again changes nothing.
 */
export function keepPrimaryContact(
  ctx: Context,
  customer: { customerId: string; kind: string; personal: CustomerPersonal },
): Promise<Contact | null> {
  return ctx.tx(async (em) => {
    const links = await liveLinks(ctx, em, customer.customerId);
    const primary = links.find((held) => held.role === 'PRIMARY');
    if (primary) return em.findOneOrFail(Contact, { id: primary.contactId });
    const wanted = primaryContactOf(customer.kind, customer.personal, (await tenantProfile(em)).country);
    if (!wanted) return null;
    const contact = await write(ctx, em, wanted.fields, wanted.points);
    await link(em, { contactId: contact.id, customerId: customer.customerId, role: 'PRIMARY' }, ctx.now());
    return contact;
  });
}

const findOrRefuse = (em: EntityManager, id: string) => lockOrRefuse(em, Contact, id, 'contact');

async function write(
  ctx: Context,
  em: EntityManager,
  fields: ContactFields,
  points: readonly Point[],
): Promise<Contact> {
  const now = ctx.now();
  const own = {
    id: uuidv7(),
    status: 'ACTIVE',
    version: 1,
    createdAt: now,
    updatedAt: now,
    createdById: ctx.actorId,
  } as const;
  const contact = em.create(Contact, { ...fields, ...own });
  em.persist(contact);
  await em.flush();
  await replacePoints(em, contact.id, points);
  return contact;
}

/** Writes the points of a contact; those it had already keep their ids. */
async function replacePoints(em: EntityManager, contactId: string, points: readonly Point[]): Promise<void> {
  const held = await em.find(ContactPoint, { contactId }, { disableIdentityMap: true });
  const ids = new Map(held.map((point) => [keyOf({ ...point, extension: point.extension ?? null }), point.id]));
  await em.nativeDelete(ContactPoint, { contactId });
  const rows = points.map((point, position) => ({
    ...point,
    id: ids.get(keyOf(point)) ?? uuidv7(),
    contactId,
    position,
  }));
  if (rows.length > 0) await em.insertMany(ContactPoint, rows);
}

/** The live links of a customer; nobody else changes them until this transaction ends. */
async function liveLinks(ctx: Context, em: EntityManager, customerId: string): Promise<ContactLink[]> {
  if (!isId(customerId)) return [];
  await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 0))', [
    `crm.customer ${ctx.tenantId} ${customerId}`,
  ]);
  return em.find(ContactLink, { customerId, until: null });
}

async function link(em: EntityManager, wanted: LinkWanted, since: Date): Promise<void> {
  em.persist(em.create(ContactLink, { ...wanted, id: uuidv7(), since }));
  await em.flush();
  await tell(em, 'crm.contact.linked', wanted.contactId, wanted.customerId);
}

/** Ends a link now; one that began after this transaction did ends where it began. */
async function end(ctx: Context, em: EntityManager, ended: ContactLink): Promise<Date> {
  ended.until = ctx.now() > ended.since ? ctx.now() : ended.since;
  await em.flush();
  await tell(em, 'crm.contact.unlinked', ended.contactId, ended.customerId);
  return ended.until;
}

/** One event per customer the contact stands behind, or one without a customer. */
async function tellChanged(em: EntityManager, contact: Contact): Promise<void> {
  const links = await em.find(ContactLink, { contactId: contact.id, until: null });
  const customers = new Set(links.map((live) => live.customerId));
  for (const customerId of customers.size > 0 ? customers : [null])
    await tell(em, 'crm.contact.changed', contact.id, customerId);
}

async function tell(
  em: EntityManager,
  name: 'crm.contact.changed' | 'crm.contact.linked' | 'crm.contact.unlinked',
  contactId: string,
  customerId: string | null,
): Promise<void> {
  const roles = customerId
    ? (await em.find(ContactLink, { contactId, customerId, until: null })).map((live) => live.role).sort()
    : [];
  const emails = (await em.find(ContactPoint, { contactId, type: 'EMAIL' })).map((point) => point.value);
  emit(em, name, { contactId, customerId, roles }, { subject: contactId, emails });
}
