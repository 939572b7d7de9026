import { forbidden, Refusal } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { revokeFilesOf } from '../files/license-file.service.ts';
import type { License } from '../licenses/license.entity.ts';
import { type Changed, changing } from '../licenses/license-change.service.ts';
import { cancelWaiting } from '../licenses/planned-change.service.ts';
import { checkReason } from './override.rules.ts';
import { LicenseRevocation } from './revocation.entity.ts';

/** How long a first signature waits for the second, milliseconds. */
const PATIENCE_MS = 24 * 3_600_000;

/**
 * Takes the licence of the tenant of the context for good, if somebody else asked for the same within 24 hours; otherwise
 * it is only written down who asks. Throws FORBIDDEN for whoever is not a person. Refuses with CONFLICT the same person
 * twice, with INVALID_STATE what is revoked already and the platform's own licence.
 */
export function revokeLicense(ctx: Context, typed: string): Promise<Changed> {
  const signer = signerOf(ctx);
  const reason = checkReason(typed);
  if (ctx.tenantId === PLATFORM_TENANT)
    throw new Refusal('INVALID_STATE', 'The platform’s own licence is not revoked.', 'tenantId');
  return ctx.tx(async (em) => {
    const changed = await changing(ctx, em, async ({ license, planned }) => {
      if (await isApproved(ctx, em, license, { askedBy: signer, reason })) {
        license.revokedAt = ctx.now();
        if (planned) cancelWaiting(ctx, em, planned.row, 'CANCELLED');
        await revokeFilesOf(ctx, em, license.id);
      }
      return { cause: 'REVOKED', reason };
    });
    const { revokedAt, version } = changed.license;
    if (revokedAt) emit(em, 'licensing.license.ended', { version, reason: 'REVOKED' });
    return changed;
  });
}

/** The person who signs: behind somebody else's session it is the operator. */
function signerOf({ envelope: { caller, actingFor } }: Context): string {
  const signer = actingFor?.operator ?? (caller.kind === 'USER' ? caller.id : null);
  if (!signer) throw forbidden('A licence is revoked by two people.');
  return signer;
}

/** Whether somebody else has signed in time; if not, this is the first signature. */
async function isApproved(
  ctx: Context,
  em: EntityManager,
  { id: licenseId }: License,
  signed: Pick<LicenseRevocation, 'askedBy' | 'reason'>,
): Promise<boolean> {
  const first = await em.findOne(LicenseRevocation, { licenseId });
  if (first && ctx.now().getTime() - first.askedAt.getTime() < PATIENCE_MS) {
    if (first.askedBy !== signed.askedBy) return true;
    throw new Refusal('CONFLICT', 'A second person must approve.', 'tenantId');
  }
  const signature = { ...signed, askedAt: ctx.now() };
  if (first) em.assign(first, signature);
  else em.persist(em.create(LicenseRevocation, { licenseId, ...signature }));
  return false;
}
