import { hears } from '../../_kernel/subgraph.ts';
import { hearDone, hearUndone } from './answer.service.ts';
import { homeOfRun } from './provisioning.service.ts';

/** Answers of other domains; what names no run is not about one. */
export const subscribers = {
  countLicense: hears('licensing.license.started', async (ctx, { payload }) => {
    if (payload.runId) await hearDone(ctx, payload.runId, 'license');
  }),
  countAccount: hears('billing.customer.created', async (ctx, { payload }) => {
    const { runId, customerId } = payload;
    const home = ctx.isPlatform && runId && (await homeOfRun(ctx, runId));
    if (home) await hearDone(home, runId, 'account', customerId);
  }),
  countAdmin: hears('identity.member.invited', (ctx, { payload }) => hearDone(ctx, payload.runId, 'admin')),
  countLicenseUndone: hears('licensing.license.withdrawn', (ctx, { payload }) =>
    hearUndone(ctx, payload.runId, 'license'),
  ),
  countAccountUndone: hears('billing.customer.closed', async (ctx, { payload }) => {
    const home = ctx.isPlatform && payload.runId && (await homeOfRun(ctx, payload.runId));
    if (home) await hearUndone(home, String(payload.runId), 'account');
  }),
  countAdminUndone: hears('identity.membership.ended', async (ctx, { payload }) => {
    if (payload.runId) await hearUndone(ctx, payload.runId, 'admin');
  }),
};
