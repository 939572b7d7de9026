import type { ServerResponse } from 'node:http';
import type { Ask } from './ask.ts';

const PLACE = /^\/brand\/([0-9a-f-]{36})\/([0-9a-f]{64}\.(png|webp))$/;
/** A picture's name is its hash: what is served under it never changes, seconds. */
const KEPT_S = 31_536_000;

/** Serves the pictures of tenants' looks, which everybody may see; false where there is none. */
export type BrandImages = (path: string, response: ServerResponse) => Promise<boolean>;

export const brandImages =
  (ask: Ask): BrandImages =>
  async (path, response) => {
    const [, tenantId, name, type] = PLACE.exec(path) ?? [];
    if (!tenantId) return false;
    const { brandImage } = await ask<{ brandImage: string | null }>(
      'tenancy',
      'query($tenantId: ID!, $name: String!) { brandImage(tenantId: $tenantId, name: $name) }',
      { tenantId, name },
    );
    if (brandImage === null) return false;
    const body = Buffer.from(brandImage, 'base64');
    const headers = { 'content-type': `image/${type}`, 'content-length': body.length };
    response.writeHead(200, { ...headers, 'cache-control': `public, max-age=${KEPT_S}, immutable` }).end(body);
    return true;
  };
