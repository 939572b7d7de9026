import type { Answer, GraphClient, GraphError, TypedDocument, Variables } from './graph-client.ts';

/** Why a feature is shut, and what would open it: the extensions of FEATURE_NOT_LICENSED. */
export interface Denial {
  message: string;
  feature: string;
  reason: string;
  /** Code of the cheapest plan that holds the feature; null when none does. */
  requiredPlan: string | null;
  upgradeUrl: string;
  /** The version of the licence that said so. */
  licenseVersion: number;
  /** What `recordUpgradeClick` names; undefined when the denial is not kept. */
  denialId?: string;
}

/** The first denial among the errors of an answer. */
export function denialIn(errors: readonly GraphError[] = []): Denial | undefined {
  const error = errors.find(({ extensions }) => extensions?.code === 'FEATURE_NOT_LICENSED');
  return error && ({ ...error.extensions, message: error.message } as unknown as Denial);
}

/** Another gateway may answer from a copy that is up to two seconds older than the news just heard, milliseconds. */
const PATIENCE_MS = 2_500;
const PAUSE_MS = 250;

/**
 * Asks something a licence opens. A denial by an older version of the licence than the one the portal has heard of is
 * asked again, until the gateway has heard of it too.
 */
export async function askGated<T, V extends Variables>(
  graph: GraphClient,
  document: TypedDocument<T, V>,
  variables: V,
  heardVersion: () => number,
): Promise<Answer<T> & { denial?: Denial }> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await graph.ask(document, variables);
    const denial = denialIn(answer.errors);
    if (!denial || denial.licenseVersion >= heardVersion() || Date.now() > until) return { ...answer, denial };
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
