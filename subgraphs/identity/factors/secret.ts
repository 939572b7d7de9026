import { openWith, sealWith } from '../../_kernel/cipher.ts';
import type { Context } from '../../_kernel/context.ts';
import type { SecondFactor } from './second-factor.entity.ts';

const dataKey = ({ machinery }: Context) => Buffer.from(machinery.config.IDENTITY_DATA_KEY, 'base64url');
const nameOf = (userId: string) => `totp|${userId}`;

/** A TOTP secret as it is kept. It opens for its owner's row alone. */
export const sealSecret = (ctx: Context, userId: string, secret: Buffer): string =>
  sealWith(dataKey(ctx), nameOf(userId), secret);

export const openSecret = (ctx: Context, { userId, sealed }: SecondFactor): Buffer =>
  openWith(dataKey(ctx), nameOf(userId), sealed);
