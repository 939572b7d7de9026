import { randomBytes } from 'node:crypto';
import { openWith, sealWith } from './cipher.ts';
import type { Context } from './context.ts';
import type { EntityManager } from './db.ts';

const KEY_BYTES = 32;

const masterKey = (ctx: Context) => Buffer.from(ctx.machinery.config.MASTER_KEY, 'base64url');
const nameOfKey = (ctx: Context) => `data key of ${ctx.tenantId}`;

/**
 * Seals a value under the data key of the transaction's tenant, for a column of text. `name` says what it is and of what
 * row (`sso_connection:<id>:secret`); it opens under that name only. The first use makes the tenant's key.
 */
export async function seal(ctx: Context, em: EntityManager, name: string, plain: string | Buffer): Promise<string> {
  const key = (await dataKey(ctx, em)) ?? (await makeDataKey(ctx, em));
  return sealWith(key, name, Buffer.from(plain as string));
}

/** Opens what `seal` made. Throws when it was sealed under another name or tenant, or the tenant's key is destroyed. */
export async function open(ctx: Context, em: EntityManager, name: string, sealed: string): Promise<Buffer> {
  const key = await dataKey(ctx, em);
  if (!key) throw new Error('This tenant has no data key: nothing that was sealed for it can be read.');
  return openWith(key, name, sealed);
}

async function dataKey(ctx: Context, em: EntityManager): Promise<Buffer | undefined> {
  const [row] = await em.execute('select sealed from kernel.data_key');
  return row && openWith(masterKey(ctx), nameOfKey(ctx), row.sealed);
}

/** Of two who make it at once the first one's counts. */
async function makeDataKey(ctx: Context, em: EntityManager): Promise<Buffer> {
  await em.execute('insert into kernel.data_key (sealed) values (?) on conflict do nothing', [
    sealWith(masterKey(ctx), nameOfKey(ctx), randomBytes(KEY_BYTES)),
  ]);
  return (await dataKey(ctx, em)) as Buffer;
}
