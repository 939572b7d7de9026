import { createHmac } from 'node:crypto';
import { ScureBase32Plugin } from 'otplib';
import { keyText } from './api-key.ts';
import { type Context, type Machinery, systemContext } from './context.ts';

/** The tenants of the example world and the last digits of their ids. */
export const SEED_TENANTS = {
  platform: '0001',
  kestrel: '0a01',
  northwind: '0a02',
  harbour: '0a03',
  sable: '0a04',
  atlas: '0a05',
  oldtown: '0a06',
  fable: '0a07',
} as const;
export type SeedTenant = keyof typeof SEED_TENANTS;

/** An id of the example world by its last four digits. */
export const seedId = (digits: string) => `01990000-0000-7000-8000-${digits.padStart(12, '0')}`;

/** A TOTP secret has as many bytes as the hash behind its codes. */
const TOTP_BYTES = 20;

/** The TOTP secret of somebody in the example world, drawn with the password of all. */
export const seedTotpSecret = (password: string, userId: string): Buffer =>
  createHmac('sha256', password).update(`totp|${userId}`).digest().subarray(0, TOTP_BYTES);

/** The same as people type it into an app. */
export const spelledTotpSecret = (password: string, userId: string): string =>
  new ScureBase32Plugin().encode(seedTotpSecret(password, userId), { padding: false });

/** An API key of the example world as its holder keeps it, drawn with the password of all. */
export const seedApiKey = (password: string, keyId: string): string =>
  keyText('LIVE', createHmac('sha256', password).update(`key|${keyId}`).digest());

/** What a domain's `seed.ts` is given: the tenants, and a way to act in each as background work does. */
export interface SeedWorld {
  tenantId(slug: SeedTenant): string;
  inTenant<T>(slug: SeedTenant, run: (ctx: Context) => Promise<T>): Promise<T>;
  /** The password of all its people. */
  password: string;
}

export function seedWorld(machinery: Machinery, password: string): SeedWorld {
  const tenantId = (slug: SeedTenant) => seedId(SEED_TENANTS[slug]);
  return {
    tenantId,
    password,
    async inTenant(slug, run) {
      const ctx = await systemContext(machinery, tenantId(slug));
      try {
        return await run(ctx);
      } finally {
        await ctx.end();
      }
    },
  };
}
