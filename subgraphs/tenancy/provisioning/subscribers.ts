import type { Context } from '../../_kernel/context.ts';
import { hears } from '../../_kernel/subgraph.ts';
import { hearDone, hearUndone } from './answer.service.ts';
import { homeOfRun } from './provisioning.service.ts';

/** What is told in the platform's log of a run is heard in the tenant it sets up. */
async function ofRun(ctx: Context, runId: string | undefined, hear: (home: Context, runId: string) => Promise<void>) {
  const home = runId && (await homeOfRun(ctx, runId));
  if (home) await hear(home, runId);
}

/** Answers of other domains; what names no run is not about one. */
export const subscribers = {
  countLicense: hears('licensing.license.started', async (ctx, { payload }) => {
    if (payload.runId) await hearDone(ctx, payload.runId, 'license');
  }),
  countAccount: hears(
    'billing.customer.created',
    (ctx, { payload: { runId, customerId } }) =>
      ofRun(ctx, runId, (home, id) => hearDone(home, id, 'account', customerId)),
    { isPlatformOnly: true },
  ),
  countAdmin: hears('identity.member.invited', (ctx, { payload }) => hearDone(ctx, payload.runId, 'admin')),
  countLicenseUndone: hears('licensing.license.withdrawn', (ctx, { payload }) =>
    hearUndone(ctx, payload.runId, 'license'),
  ),
  countAccountUndone: hears(
    'billing.customer.closed',
    (ctx, { payload }) => ofRun(ctx, payload.runId, (home, id) => hearUndone(home, id, 'account')),
    { isPlatformOnly: true },
  ),
  countAdminUndone: hears('identity.membership.ended', async (ctx, { payload }) => {
    if (payload.runId) await hearUndone(ctx, payload.runId, 'admin');
  }),
};
