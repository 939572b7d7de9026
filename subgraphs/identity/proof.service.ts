import { ClientError } from '../../schema/errors.ts';
import type { Context } from '../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../_kernel/db.ts';
import { emit } from '../_kernel/events.ts';
import { deviceOf } from './accounts/device.rules.ts';
import { warnOfNewDevice } from './accounts/device.service.ts';
import { warn } from './accounts/mails.service.ts';
import { Credential } from './credential.entity.ts';
import { isWeak } from './credential.rules.ts';
import { hashPassword, isPasswordOf, reserveCheck } from './credential.service.ts';
import { lanes, type Reserved } from './lanes.ts';
import { wrongProof } from './sign-in.rules.ts';
import {
  type BucketKeys,
  bucketKeysOf,
  claimMail,
  clearMail,
  countAtAddress,
  unclaimMail,
} from './sign-in-bucket.service.ts';
import { record } from './sign-in-record.service.ts';
import { macKey } from './token.service.ts';
import { User } from './user.entity.ts';
import { maySignIn, normalEmail, type Realm } from './user.rules.ts';

/** Counting waits in memory, so that a crowd at one mail holds four connections and not the whole pool. */
const inLine = lanes(4, 512, 4_000);

interface Asked {
  realm: Realm;
  email: string;
  password: string;
  /** Of the device they use, where it has one. */
  deviceMark?: string | null;
}

/** An attempt that was counted and may be checked. */
interface Attempt {
  keys: BucketKeys;
  user: User | null;
  hash: string | null;
  /** Whom a record of it names. */
  who: { userId: string } | { mailHash: string };
  /** Whether they signed in before on the device they use. */
  isKnownDevice: boolean;
  /** Whether this attempt locks the bucket if it fails. */
  isLast: boolean;
}

/** A password that proved right. */
export interface PasswordProof {
  user: User;
  /** Runs in the transaction of what the proof was for: forgets the failures, and renews a hash that has become weak. */
  settle: (em: EntityManager) => Promise<void>;
}

/**
 * Proves who somebody is by their password. Attempts are counted before they are checked (identity R10), and an unknown
 * mail, a missing password and a suspended person cost the work of a known one.
 * Refuses INVALID with one sentence for all of these; throws RATE_LIMITED for an address that failed too often and
 * OVERLOADED when too many wait.
 */
export async function provePassword(ctx: Context, asked: Asked): Promise<PasswordProof> {
  const place = reserveCheck(ctx); // before the database has any work with it
  try {
    return await prove(ctx, asked, place);
  } finally {
    place.giveBack();
  }
}

async function prove(ctx: Context, asked: Asked, place: Reserved): Promise<PasswordProof> {
  const attempt = await claimAttempt(ctx, asked);
  if (!attempt) throw wrongProof();
  const { user, hash } = attempt;
  const isRight = await isPasswordOf(hash, asked.password, place.run).catch(async (error: unknown) => {
    await inPlatform(ctx, (em) => unclaimMail(em, attempt.keys));
    throw error;
  });
  if (!isRight || !user || !maySignIn(user.state)) {
    await noteFailure(ctx, attempt);
    throw wrongProof();
  }
  const isRenewalDue = hash !== null && isWeak(hash);
  const renewed = isRenewalDue ? await hashPassword(asked.password).catch(() => null) : null; // or next time
  return { user, settle: (em) => settle(ctx, em, attempt, renewed) };
}

const inPlatform = <T>(ctx: Context, run: (em: EntityManager) => Promise<T>): Promise<T> =>
  inLine(() => ctx.inTenant(PLATFORM_TENANT).tx(run));

/** Counts an attempt and finds what it is to be checked against; null when the mail is locked. */
function claimAttempt(ctx: Context, { realm, email, deviceMark }: Asked): Promise<Attempt | null> {
  const known = normalEmail(email);
  const strangers = bucketKeysOf(ctx, realm, known ?? email);
  const count = async (em: EntityManager): Promise<Attempt | null> => {
    const { user, hash, isShutOut } = await readWhom(em, realm, known, strangers);
    const device = user && deviceMark ? deviceOf(macKey(ctx), deviceMark, user.id, new Date()) : undefined;
    const keys = device === undefined ? strangers : { ...strangers, mail: `device:${device}` };
    const who = user ? { userId: user.id } : { mailHash: keys.mailHash };
    if (isShutOut) throw tooMany();
    const claimed = await claimMail(em, keys);
    if (claimed === 'REFUSED') {
      record(ctx, em, { outcome: 'LOCKED', method: 'PWD', ...who });
      return null;
    }
    const lockedUntil = claimed?.toISOString();
    if (lockedUntil) emit(em, 'identity.sign_in.locked', { userId: user?.id ?? null, lockedUntil });
    const isKnownDevice = device !== undefined || (user !== null && ctx.envelope.caller.id === user.id);
    return { keys, user, hash, who, isKnownDevice, isLast: claimed !== null };
  };
  return inPlatform(ctx, count);
}

/** Who is meant, the hash of their password, and whether the address is shut out: one trip to the database for all. */
async function readWhom(
  em: EntityManager,
  realm: Realm,
  email: string | null,
  { address }: BucketKeys,
): Promise<{ user: User | null; hash: string | null; isShutOut: boolean }> {
  const [row] = await em.execute(
    `select u.*, c.hash as password_hash, b.locked_until > clock_timestamp() as is_shut_out
       from (select) one
       left join identity.user u on u.realm = ? and u.email = ?
       left join identity.credential c on c.user_id = u.id
       left join identity.sign_in_bucket b on b.key = ?`,
    [realm, email, address ?? null],
  );
  const { password_hash: hash = null, is_shut_out: isShutOut, ...columns } = row ?? {};
  return { user: columns.id ? em.map(User, columns) : null, hash, isShutOut: isShutOut === true };
}

const tooMany = () =>
  new ClientError('RATE_LIMITED', 'Too many attempts failed from your network. Please try again in ten minutes.');

function noteFailure(ctx: Context, { keys, user, who, isLast }: Attempt): Promise<void> {
  return inPlatform(ctx, async (em) => {
    await countAtAddress(em, keys);
    record(ctx, em, { outcome: 'BAD_SECRET', method: 'PWD', ...who });
    if (isLast && user) await warn(ctx, em, 'LOCKED', user.id);
  });
}

async function settle(
  ctx: Context,
  em: EntityManager,
  { keys, user, isKnownDevice }: Attempt,
  renewed: string | null,
): Promise<void> {
  if (user && !isKnownDevice) await warnOfNewDevice(ctx, em, user);
  await clearMail(em, keys);
  if (renewed !== null && user) await em.nativeUpdate(Credential, { userId: user.id }, { hash: renewed });
}
