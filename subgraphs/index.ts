import { withDeparture } from './_kernel/departure.ts';
import type { SubgraphDefinition } from './_kernel/subgraph.ts';
import { billing } from './billing/index.ts';
import { crm } from './crm/index.ts';
import { identity } from './identity/index.ts';
import { licensing } from './licensing/index.ts';
import { network } from './network/index.ts';
import { tenancy } from './tenancy/index.ts';
import { tickets } from './tickets/index.ts';

/** Our table of contents. The order is that of seeding: who exists, what they may use, who asks, then the domains. */
export const SUBGRAPHS: readonly SubgraphDefinition[] = [
  tenancy,
  licensing,
  identity,
  billing,
  network,
  crm,
  tickets,
].map(withDeparture);
