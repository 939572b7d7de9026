import { ClientError, type DenialReason, deniedSentence, tenantSuspended } from '../../schema/errors.ts';
import type { Feature } from '../../schema/features.ts';
import type { Caller } from '../auth.ts';
import type { Operation } from '../execution/operation.ts';
import type { ClientRequest, Graph } from '../graph.ts';
import { entitlementsAt } from '../licenses.ts';
import type { Standing } from '../standing.ts';
import { presentOf } from '../tenants.ts';

/** What a caller may in their tenant, whoever they are. Who may the same may share a source. */
export const mayOf = ({ kind, tenantId, customerId, permissions, mustDo }: Caller): string =>
  JSON.stringify([kind, tenantId, customerId, permissions.catalogue, permissions.bits, mustDo]);

/** What the tenant's licence opens: the other half of what a subgraph decides by. */
export const opensOf = ({ features, core, observed, suspended, license, isLicenseUnknown }: Standing): string =>
  JSON.stringify([features, core, observed, suspended, license?.version ?? 0, isLicenseUnknown]);

/** Who asks, with all that a subgraph is told of them. What hangs on it is shared with nobody else. */
export const personOf = ({ address, origin, refreshCookie }: ClientRequest, caller: Caller): string => {
  const { userId, keyId, sessionId, membershipId, strongAt, proofs } = caller;
  return JSON.stringify([userId, keyId, sessionId, membershipId, strongAt, proofs, address, origin, refreshCookie]);
};

/** How a caller stands, without waiting; undefined when a copy is not held or not fresh, or the tenant is blocked. */
export function standingNow({ parts: { licenses, tenants } }: Graph, caller: Caller): Standing | undefined {
  const { tenantId } = caller;
  if (!tenantId) return { caller, license: null, features: {}, core: 'FULL', isLicenseUnknown: false };
  const license = licenses.peek(tenantId);
  const tenant = tenants.peek(tenantId);
  if (license === undefined || tenant?.accessMode !== 'NORMAL') return undefined;
  const { placementVersion } = tenant;
  const entitled = entitlementsAt(license, presentOf(tenant));
  const standing = { caller, license, ...entitled, placementVersion, isLicenseUnknown: false };
  return caller.keyId && (standing.features.api_keys?.access ?? 'NONE') === 'NONE' ? undefined : standing;
}

/**
 * Throws FEATURE_NOT_LICENSED if the licence does not open what a stream is about, SUBGRAPH_UNAVAILABLE if nobody knows,
 * FORBIDDEN where the tenant is suspended.
 */
export function refuseIfLost(operation: Operation, standing: Standing): void {
  const [lost] = shutRoots(operation, standing).filter((shut) => !isObserved(shut, standing));
  if (!lost) return;
  if (standing.suspended) throw tenantSuspended();
  if (standing.isLicenseUnknown)
    throw new ClientError('SUBGRAPH_UNAVAILABLE', 'The licence cannot be read right now. Please try again.');
  throw new ClientError('FEATURE_NOT_LICENSED', deniedSentence(lost.reason, lost.feature), {
    ...lost,
    coordinate: coordinateOf(operation),
    licenseVersion: standing.license?.version ?? 0,
  });
}

/** What a stream is about and is let pass by gates that only observe, each with its door. */
export function observedRoots(operation: Operation, standing: Standing): Partial<Record<Feature, string>> | undefined {
  if (!standing.observed) return undefined;
  const passed = shutRoots(operation, standing).filter((shut) => isObserved(shut, standing));
  return Object.fromEntries(passed.map(({ feature }) => [feature, coordinateOf(operation)]));
}

interface Shut {
  feature: Feature;
  reason: DenialReason;
}

/** Features without which a stream has nothing to tell and which the licence does not open, with the reason. */
const shutRoots = ({ rootFeatures }: Operation, { features, license }: Standing): Shut[] =>
  rootFeatures
    .filter((feature) => (features[feature]?.access ?? 'NONE') === 'NONE')
    .map((feature) => ({ feature, reason: features[feature]?.reason ?? (license ? 'NOT_IN_PLAN' : 'NO_LICENSE') }));

/** A stream changes nothing, so whatever gates let pass of a feature opens it. */
const isObserved = ({ reason }: Shut, { observed }: Standing) => observed !== undefined && reason === 'NOT_IN_PLAN';

const coordinateOf = ({ rootFields: [field] }: Operation) => `Subscription.${field}`;
