import { dataOf, type GraphClient } from './graph-client.ts';
import {
  ReadUpgradeOptionsDocument,
  type ReadUpgradeOptionsQuery,
  RecordUpgradeClickDocument,
  UpgradeDocument,
} from './graphql/graphql.ts';
import type { PortalLicense } from './license-store.ts';

export type UpgradeOption = ReadUpgradeOptionsQuery['upgradeOptions'][number];

/** What would open a feature, cheapest first. Throws GraphFault FORBIDDEN for who may not read the licence. */
export async function readUpgradeOptions(graph: GraphClient, feature: string): Promise<UpgradeOption[]> {
  return dataOf(await graph.ask(ReadUpgradeOptionsDocument, { feature })).upgradeOptions;
}

/**
 * Moves the licence to a larger plan, at once. The same key is charged once, however often it is sent. A denial that led
 * here is told first, for the purchase counts as its consequence. Answers the new licence, or a sentence saying why not.
 */
export async function upgrade(
  graph: GraphClient,
  newPlan: string,
  idempotencyKey: string,
  denialId?: string,
): Promise<{ license: PortalLicense } | { refusal: string }> {
  if (denialId) await graph.ask(RecordUpgradeClickDocument, { denialId }).catch(() => undefined); // the upgrade goes on
  const { upgradeLicense } = dataOf(await graph.ask(UpgradeDocument, { input: { newPlan, idempotencyKey } }));
  const { license, userErrors } = upgradeLicense;
  return license ? { license } : { refusal: userErrors[0]?.message ?? 'The plan was not changed.' };
}
