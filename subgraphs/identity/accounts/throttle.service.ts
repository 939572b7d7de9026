import { createHmac } from 'node:crypto';
import { prefixOf } from '../../../schema/address-prefix.ts';
import { ClientError } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../../_kernel/db.ts';
import { type BucketPolicy, claim, isLocked } from '../sign-in-bucket.rules.ts';
import { lockBucket } from '../sign-in-bucket.service.ts';
import { macKey } from '../token.service.ts';
import type { Realm } from '../user.rules.ts';

const perHour = (most: number): BucketPolicy => ({ most, withinMinutes: 60, lockMinutes: [60] });

/** Five an hour from one address at a door that makes or proves an account. */
const DOOR = perHour(5);
/** Three mails an hour to an address that strangers asked for. */
const MAIL = perHour(3);
/** Looking at how one may sign in. */
const LOOK: BucketPolicy = { most: 30, withinMinutes: 1, lockMinutes: [1] };

type Door = 'registerUser' | 'proveEmail' | 'activateAccount';

const keyed = (ctx: Context, text: string) => createHmac('sha256', macKey(ctx)).update(text).digest('base64url');

/** Counts one more under a key; false when there were too many. */
async function countAt(em: EntityManager, key: string, policy: BucketPolicy): Promise<boolean> {
  const { held, now } = await lockBucket(em, key);
  if (isLocked(held, now)) return false;
  Object.assign(held, claim(held, policy, now));
  return true;
}

/** Counts somebody at a door that is open to anyone. Throws RATE_LIMITED when too many came from their network. */
export const countAtDoor = (ctx: Context, door: Door): Promise<void> => countAtAddress(ctx, door, DOOR);

/** The same for whoever only looks. */
export const countALook = (ctx: Context): Promise<void> => countAtAddress(ctx, 'signInMethods', LOOK);

async function countAtAddress(ctx: Context, door: string, policy: BucketPolicy): Promise<void> {
  const { address } = ctx.envelope;
  if (address === undefined) return;
  const key = `door:${keyed(ctx, `${door}|${prefixOf(address)}`)}`;
  const isFree = await ctx.inTenant(PLATFORM_TENANT).tx((em) => countAt(em, key, policy));
  if (!isFree) throw new ClientError('RATE_LIMITED', 'Too many came from your network. Please try again later.');
}

/** Whether one more mail may go to an address that a stranger named; counted for addresses nobody has, too. */
export const mayMail = (ctx: Context, em: EntityManager, realm: Realm, email: string): Promise<boolean> =>
  countAt(em, `to:${keyed(ctx, `to|${realm}|${email}`)}`, MAIL);
