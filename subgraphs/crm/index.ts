import type { SubgraphDefinition } from '../_kernel/subgraph.ts';
import { Customer, CustomerContactsResolver } from './customer.stub.ts';
import { CrmFootprintResolver, LicenseChangePreview } from './license-change-preview.stub.ts';
import { Contact, ContactLink, ContactPoint } from './people/contact.entity.ts';
import { ContactChangeResolver, ContactLinkResolver, ContactResolver } from './people/contact.resolver.ts';
import { contactById } from './people/loaders.ts';
import { seed } from './seed.ts';
import { Lead } from './selling/lead.entity.ts';
import { LeadResolver } from './selling/lead.resolver.ts';
import { leadById } from './selling/loaders.ts';
import { keepPrimaryContact } from './subscribers.ts';

export const crm: SubgraphDefinition = {
  name: 'crm',
  feature: 'crm',
  resolvers: [
    LeadResolver,
    ContactResolver,
    ContactLinkResolver,
    ContactChangeResolver,
    CustomerContactsResolver,
    CrmFootprintResolver,
  ],
  types: [Customer, LicenseChangePreview],
  entities: [Contact, ContactPoint, ContactLink, Lead],
  references: {
    Contact: (ctx, { id }) => (ctx.can('crm.contact.read') ? ctx.load(contactById, id) : null),
    Lead: (ctx, { id }) => (ctx.can('crm.lead.read') ? ctx.load(leadById, id) : null),
  },
  subscribers: { keepPrimaryContact },
  isAtHome: true,
  seed,
};
