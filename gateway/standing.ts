import { ClientError, deniedSentence, unauthenticated } from '../schema/errors.ts';
import { FEATURE_KEYS } from '../schema/features.ts';
import { unpackPermissions } from '../schema/permissions.ts';
import type { Envelope } from '../subgraphs/_kernel/signed-context.ts';
import type { Caller } from './auth.ts';
import type { Parts } from './graph.ts';
import { entitlementsAt, type LicenseView } from './licenses.ts';
import { presentOf, type TenantView } from './tenants.ts';

/** Who asks and what their licence says, as it stands for one operation or one event of a stream. */
export interface Standing {
  caller: Caller;
  license: LicenseView | null;
  features: Envelope['features'];
  core: Envelope['core'];
  coreReason?: Envelope['coreReason'];
  /** What gates that only observe let pass of features that are not in the plan. */
  observed?: Envelope['observed'];
  /** The tenant may only be read at present. */
  isReadOnly?: boolean;
  /** How often the tenant has moved. */
  placementVersion?: number;
  /** The tenant is suspended: which doors are left. */
  suspended?: Envelope['suspended'];
  /** Licensing has been out of reach for too long: gated features are neither granted nor denied. */
  isLicenseUnknown: boolean;
}

/** What the caller's tenant and licence say now. Throws UNAUTHENTICATED when the caller or its tenant was stopped. */
export async function standingOf(
  { auth, licenses, tenants }: Pick<Parts, 'auth' | 'licenses' | 'tenants'>,
  asked: Caller,
): Promise<Standing> {
  const caller = await auth.renew(asked);
  if (!caller.tenantId) return { caller, license: null, features: {}, core: 'FULL', isLicenseUnknown: false };
  const tenant = await tenants.get(caller.tenantId);
  if (!tenant) throw unauthenticated('REVOKED');
  if (tenant.accessMode === 'BLOCKED') return blocked(caller, tenant);
  const place = { isReadOnly: tenant.accessMode === 'READ_ONLY', placementVersion: tenant.placementVersion };
  try {
    const license = await licenses.get(caller.tenantId);
    const entitled = entitlementsAt(license, presentOf(tenant));
    const standing = { caller, license, ...entitled, ...place, isLicenseUnknown: false };
    refuseUnlicensedKey(standing);
    return standing;
  } catch (error) {
    if (!(error instanceof ClientError) || error.code === 'FEATURE_NOT_LICENSED' || caller.keyId) throw error;
    return { caller, license: null, features: {}, core: 'FULL', ...place, isLicenseUnknown: true };
  }
}

/** A key opens nothing where the licence holds no keys; the same key works again when it does. */
function refuseUnlicensedKey({ caller, features, license }: Standing): void {
  const { access = 'NONE', reason = license ? 'NOT_IN_PLAN' : 'NO_LICENSE' } = features.api_keys ?? {};
  if (caller.kind !== 'API_KEY' || access !== 'NONE') return;
  throw new ClientError('FEATURE_NOT_LICENSED', deniedSentence(reason, 'api_keys'), {
    feature: 'api_keys',
    reason,
    licenseVersion: license?.version ?? 0,
  });
}

/**
 * In a suspended tenant only those who can pay its licence are left a few doors (tenancy R7), no machine among them; in one
 * that is being made or deleted nobody is. Doors that are open to anybody stay so: people may still go elsewhere.
 */
function blocked(caller: Caller, { state }: TenantView): Standing {
  const mayStay = state === 'SUSPENDED' || state === 'CLOSING';
  const isOneOfThem = caller.kind === 'USER' && unpackPermissions(caller.permissions)('licensing.license.change');
  const features = Object.fromEntries(
    FEATURE_KEYS.map((feature) => [feature, { access: 'NONE', reason: 'SUSPENDED' }]),
  ) as Standing['features'];
  const suspended = mayStay && isOneOfThem ? 'PARTLY' : 'SHUT';
  const shut = { core: 'READ', coreReason: 'SUSPENDED', isLicenseUnknown: false } as const;
  return { caller, license: null, features, ...shut, suspended };
}
