import type { SubgraphDefinition } from './_kernel/subgraph.ts';
import { tenancy } from './tenancy/index.ts';

/** Our table of contents. The order is that of seeding: who exists, what they may use, who asks, then the domains. */
export const SUBGRAPHS: readonly SubgraphDefinition[] = [tenancy];
