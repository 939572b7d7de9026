import { createHmac } from 'node:crypto';
import { LockMode } from '@mikro-orm/core';
import type { Context } from '../_kernel/context.ts';
import type { EntityManager } from '../_kernel/db.ts';
import { SignInBucket } from './sign-in-bucket.entity.ts';
import { ADDRESS_POLICY, claim, giveBack, isLocked, MAIL_POLICY, prefixOf } from './sign-in-bucket.rules.ts';
import { macKey } from './token.service.ts';
import type { Realm } from './user.rules.ts';

export interface BucketKeys {
  /** Keyed hash of realm and mail, for records that can name nobody. */
  mailHash: string;
  mail: string;
  /** Absent when the gateway could not tell where the request came from. */
  address?: string;
}

/** Where attempts at a mail from this caller's address are counted. */
export function bucketKeysOf(ctx: Context, realm: Realm, email: string): BucketKeys {
  const keyed = (text: string) => createHmac('sha256', macKey(ctx)).update(text).digest('base64url');
  const mailHash = keyed(`mail|${realm}|${email}`);
  const { address } = ctx.envelope;
  const at = address === undefined ? {} : { address: `address:${keyed(`address|${prefixOf(address)}`)}` };
  return { mailHash, mail: `mail:${mailHash}`, ...at };
}

export async function isAddressLocked(em: EntityManager, { address }: BucketKeys, now: Date): Promise<boolean> {
  const held = address === undefined ? null : await em.findOne(SignInBucket, { key: address });
  return held !== null && isLocked(held, now);
}

/**
 * Counts an attempt at a mail before it is checked, whoever comes beside it. REFUSED while the mail is locked;
 * otherwise until when this attempt locks it, or null.
 */
export async function claimMail(em: EntityManager, { mail }: BucketKeys, now: Date): Promise<Date | null | 'REFUSED'> {
  const held = await lockBucket(em, mail);
  if (isLocked(held, now)) return 'REFUSED';
  Object.assign(held, claim(held, MAIL_POLICY, now));
  return held.lockedUntil;
}

/** Counts a failure at the address it came from: afterwards, for many honest people may share one. */
export async function countAtAddress(em: EntityManager, { address }: BucketKeys, now: Date): Promise<void> {
  if (address === undefined) return;
  const held = await lockBucket(em, address);
  if (!isLocked(held, now)) Object.assign(held, claim(held, ADDRESS_POLICY, now));
}

/** What was never checked is not counted: load must not lock anybody out. */
export async function unclaimMail(em: EntityManager, { mail }: BucketKeys): Promise<void> {
  const held = await em.findOne(SignInBucket, { key: mail }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (held) Object.assign(held, giveBack(held, MAIL_POLICY));
}

/** A right proof forgets the failures before it, and their lock. */
export async function clearMail(em: EntityManager, { mail }: BucketKeys): Promise<void> {
  await em.nativeDelete(SignInBucket, { key: mail });
}

/** The bucket of a key, locked; made when there is none. */
async function lockBucket(em: EntityManager, key: string): Promise<SignInBucket> {
  await em.execute(
    'insert into identity.sign_in_bucket (key) values (?) on conflict (key) do update set key = excluded.key',
    [key],
  );
  return em.findOneOrFail(SignInBucket, { key });
}
