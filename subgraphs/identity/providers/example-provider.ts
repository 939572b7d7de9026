import type { Context } from '../../_kernel/context.ts';
import { setRecords } from '../../_kernel/dns.ts';
import { EmailDomain } from './email-domain.entity.ts';
import { recordName, recordValue } from './email-domain.rules.ts';
import { openFakeProvider } from './fake-provider.ts';

/** Opens the sign-in provider of the example world, and lets what was proved in it stay proved. Only in development. */
export async function openExampleProvider(ctx: Context): Promise<void> {
  const { NODE_ENV, EXAMPLE_PROVIDER_PORT } = ctx.machinery.config;
  if (NODE_ENV !== 'development') return;
  const proved = await (await ctx.em()).find(EmailDomain, { state: 'PROVED' });
  for (const { domain, token } of proved) setRecords(recordName(domain), [recordValue(token)]);
  await openFakeProvider(EXAMPLE_PROVIDER_PORT).catch(() =>
    ctx.log.info({ port: EXAMPLE_PROVIDER_PORT }, 'the port of the example provider is taken; it is not opened'),
  );
}
