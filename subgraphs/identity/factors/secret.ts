import type { Context } from '../../_kernel/context.ts';
import { seal, unseal } from '../../_kernel/seal.ts';
import type { SecondFactor } from './second-factor.entity.ts';

const dataKey = ({ machinery }: Context) => Buffer.from(machinery.config.IDENTITY_DATA_KEY, 'base64url');
const nameOf = (userId: string) => `totp|${userId}`;

/** A TOTP secret as it is kept. It opens for its owner's row alone. */
export const sealSecret = (ctx: Context, userId: string, secret: Buffer): string =>
  seal(dataKey(ctx), nameOf(userId), secret);

export const openSecret = (ctx: Context, { userId, sealed }: SecondFactor): Buffer =>
  unseal(dataKey(ctx), nameOf(userId), sealed);
