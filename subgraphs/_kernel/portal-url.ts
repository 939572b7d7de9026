import type { Context } from './context.ts';

/**
 * Where the portal of the context's tenant is: what a link in a mail begins with, without a slash at its end. It is ours
 * to say, never a request's Host (identity R13).
 */
export async function portalUrlOf(ctx: Context): Promise<string> {
  return ctx.machinery.config.PUBLIC_URL.replace(/\/+$/, '');
}
