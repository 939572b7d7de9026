import { DOMAINS } from '../../_kernel/departure.ts';
import { hears, type Subscriber } from '../../_kernel/subgraph.ts';
import { countInExport, exportTenancy } from './data-export.service.ts';
import { countInPurge } from './purge.service.ts';
import { liftLapse, suspendLapsed } from './suspension.service.ts';

/** Two for each domain that answers: its name tells which one it is. */
const answers: Record<string, Subscriber> = Object.fromEntries(
  DOMAINS.flatMap((domain) => [
    [
      `countInExportOf:${domain}`,
      hears(`${domain}.export.completed`, (ctx, { payload }) =>
        countInExport(ctx, domain, payload.exportId, payload.files),
      ),
    ],
    [
      `countInPurgeOf:${domain}`,
      hears(`${domain}.purge.completed`, (ctx, { payload }) =>
        countInPurge(ctx, domain, payload.purgeId, payload.counts),
      ),
    ],
  ]),
);

export const leaving: Record<string, Subscriber> = {
  suspendLapsed: hears('licensing.license.lapsed', (ctx) => suspendLapsed(ctx)),
  liftLapse: hears('licensing.license.changed', (ctx) => liftLapse(ctx), { isWhileSuspended: true }),
  liftLapsePaidMeanwhile: hears('tenancy.tenant.suspended', (ctx) => liftLapse(ctx)),
  liftLapsePaidWhileClosing: hears('tenancy.tenant.reopened', (ctx) => liftLapse(ctx)),
  exportTenancy: hears('tenancy.export.requested', (ctx, { payload }) => exportTenancy(ctx, payload.exportId)),
  ...answers,
};
