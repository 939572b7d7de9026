import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import type { User } from '../user.entity.ts';
import { areaOf } from './device.rules.ts';
import { warn } from './mails.service.ts';

/** Networks somebody signed in from that are looked at, the last ones. */
const NETWORKS = 200;

/**
 * Warns somebody of the staff whose password proved right on a device without a mark and in a network we have not met
 * them in; not at their first sign-in. Whether a second factor comes after it does not matter: the password is known.
 */
export async function warnOfNewDevice(ctx: Context, em: EntityManager, user: User): Promise<void> {
  if (user.realm !== 'STAFF') return;
  const before = await em.execute(
    `select address, max(at) as last from identity.sign_in_record
      where user_id = ? and outcome = 'OK' and at < now() and at > now() - interval '180 days'
      group by address order by last desc limit ${NETWORKS}`,
    [user.id],
  );
  if (before.length === 0) return;
  const { address } = ctx.envelope;
  const isKnown = before.some((row) => row.address && address && areaOf(row.address) === areaOf(address));
  if (!isKnown) await warn(ctx, em, 'NEW_DEVICE', user.id);
}
