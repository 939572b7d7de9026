import { createHmac } from 'node:crypto';
import { LockMode } from '@mikro-orm/core';
import { prefixOf } from '../../schema/address-prefix.ts';
import type { Context } from '../_kernel/context.ts';
import type { EntityManager } from '../_kernel/db.ts';
import { SignInBucket } from './sign-in-bucket.entity.ts';
import {
  ADDRESS_POLICY,
  type BucketPolicy,
  claim,
  FACTOR_POLICY,
  giveBack,
  isLocked,
  MAIL_POLICY,
} from './sign-in-bucket.rules.ts';
import { macKey } from './token.service.ts';
import type { Realm } from './user.rules.ts';

export interface BucketKeys {
  /** Keyed hash of realm and mail, for records that can name nobody. */
  mailHash: string;
  mail: string;
  /** Absent when the gateway could not tell where the request came from. */
  address?: string;
}

const keyedHash = (ctx: Context, text: string) => createHmac('sha256', macKey(ctx)).update(text).digest('base64url');

/** Where attempts at a mail from this caller's address are counted. */
export function bucketKeysOf(ctx: Context, realm: Realm, email: string): BucketKeys {
  const keyed = (text: string) => keyedHash(ctx, text);
  const mailHash = keyed(`mail|${realm}|${email}`);
  const { address } = ctx.envelope;
  const at = address === undefined ? {} : { address: `address:${keyed(`address|${prefixOf(address)}`)}` };
  return { mailHash, mail: `mail:${mailHash}`, ...at };
}

/**
 * Counts an attempt at a mail before it is checked, whoever comes beside it. REFUSED while the mail is locked;
 * otherwise until when this attempt locks it, or null. Whoever asks last waits longest: call it late in a transaction.
 */
export const claimMail = (em: EntityManager, { mail }: BucketKeys): Promise<Date | null | 'REFUSED'> =>
  claimIn(em, mail, MAIL_POLICY);

const factorKey = (ctx: Context, userId: string) => `factor:${keyedHash(ctx, `factor|${userId}`)}`;

/** The same for the codes of one person, over all their challenges. */
export const claimFactor = (ctx: Context, em: EntityManager, userId: string): Promise<Date | null | 'REFUSED'> =>
  claimIn(em, factorKey(ctx, userId), FACTOR_POLICY);

/** A right code was no failure; those before it stay counted, for whoever gave them may be another. */
export const unclaimFactor = (ctx: Context, em: EntityManager, userId: string): Promise<void> =>
  unclaimIn(em, factorKey(ctx, userId), FACTOR_POLICY);

async function claimIn(em: EntityManager, key: string, policy: BucketPolicy): Promise<Date | null | 'REFUSED'> {
  const { held, now } = await lockBucket(em, key);
  if (isLocked(held, now)) return 'REFUSED';
  Object.assign(held, claim(held, policy, now));
  return held.lockedUntil;
}

/** Counts a failure at the address it came from: afterwards, for many honest people may share one. */
export async function countAtAddress(em: EntityManager, { address }: BucketKeys): Promise<void> {
  if (address === undefined) return;
  const { held, now } = await lockBucket(em, address);
  if (!isLocked(held, now)) Object.assign(held, claim(held, ADDRESS_POLICY, now));
}

/** What was never checked is not counted: load must not lock anybody out. */
export const unclaimMail = (em: EntityManager, { mail }: BucketKeys): Promise<void> => unclaimIn(em, mail, MAIL_POLICY);

async function unclaimIn(em: EntityManager, key: string, policy: BucketPolicy): Promise<void> {
  const held = await em.findOne(SignInBucket, { key }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (held) Object.assign(held, giveBack(held, policy));
}

/** A right proof forgets the failures before it, and their lock. */
export async function clearMail(em: EntityManager, { mail }: BucketKeys): Promise<void> {
  await em.nativeDelete(SignInBucket, { key: mail });
}

/** The bucket of a key, made when there is none, and the time since which it is locked for us. */
export async function lockBucket(em: EntityManager, key: string): Promise<{ held: SignInBucket; now: Date }> {
  const [row] = await em.execute(
    `insert into identity.sign_in_bucket (key) values (?) on conflict (key) do update set key = excluded.key
     returning *, clock_timestamp() as now`,
    [key],
  );
  const { now, ...columns } = row as { now: string };
  return { held: em.map(SignInBucket, columns), now: new Date(now) };
}
