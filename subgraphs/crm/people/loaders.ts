import { isId } from '../../../schema/ids.ts';
import { defineLoader } from '../../_kernel/loader.ts';
import { Contact, ContactLink, ContactPoint } from './contact.entity.ts';

export const contactById = defineLoader('contacts by id', async (em, ids) => {
  const found = await em.find(Contact, { id: { $in: ids.filter(isId) } });
  return found.map((contact) => [contact.id, contact] as const);
});

export const pointsOfContact = defineLoader('points of contacts', async (em, ids) => {
  const points = await em.find(ContactPoint, { contactId: { $in: [...ids] } }, { orderBy: { position: 'asc' } });
  return Map.groupBy(points, (point) => point.contactId);
});

/** Live links only, in the order they were made. */
export const linksOfContact = defineLoader('links of contacts', async (em, ids) => {
  const links = await em.find(
    ContactLink,
    { contactId: { $in: [...ids] }, until: null },
    { orderBy: { since: 'asc', id: 'asc' } },
  );
  return Map.groupBy(links, (link) => link.contactId);
});

/** The contacts of customers, each once, the primary one first. */
export const contactsOfCustomer = defineLoader('contacts of customers', async (em, ids) => {
  const known = ids.filter(isId);
  if (known.length === 0) return [];
  const rows = await em.execute(
    `select l.customer_id as of_customer, c.*
       from crm.contact_link l join crm.contact c on c.tenant_id = l.tenant_id and c.id = l.contact_id
      where l.customer_id in (?) and l.until is null
      order by l.role <> 'PRIMARY', l.since, l.id`,
    [known],
  );
  const contacts = Map.groupBy(rows, (row) => row.of_customer as string);
  return [...contacts].map(([customerId, own]) => {
    const once = new Set(own.map(({ of_customer: _, ...row }) => em.map(Contact, row)));
    return [customerId, [...once]] as const;
  });
});
