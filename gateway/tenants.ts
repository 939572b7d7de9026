import type { FanOut } from '../subgraphs/_kernel/fan-out.ts';
import type { Logger } from '../subgraphs/_kernel/telemetry.ts';
import type { Ask } from './ask.ts';
import { HeldCopies } from './held-copies.ts';

export interface TenantView {
  id: string;
  state: string;
  accessMode: 'NORMAL' | 'READ_ONLY' | 'BLOCKED';
  /** How far its clock runs ahead: 0 for all but a sandbox. */
  clockOffsetSeconds: number;
  /** How often it has moved. */
  placementVersion: number;
}

export type Tenants = HeldCopies<TenantView>;

const VIEW = '{ id state accessMode clockOffsetSeconds placementVersion }';

/** The tenant's own present: what its licence is asked at. */
export const presentOf = ({ clockOffsetSeconds }: TenantView): Date =>
  new Date(Date.now() + clockOffsetSeconds * 1_000);

/** Holds the state of tenants in memory, live by tenancy's feed. */
export function holdTenants(ask: Ask, fanOut: FanOut, log: Logger): Tenants {
  return new HeldCopies<TenantView>(
    {
      feed: 'tenants',
      async load(ids) {
        const { tenantViews } = await ask<{ tenantViews: TenantView[] }>(
          'tenancy',
          `query($ids: [ID!]!) { tenantViews(ids: $ids) ${VIEW} }`,
          { ids },
        );
        return new Map(tenantViews.map((view) => [view.id, view]));
      },
      async readFeed(afterSeq, first) {
        const { tenantFeed } = await ask<{
          tenantFeed: { head: number; tenants: TenantView[]; gone: string[] };
        }>(
          'tenancy',
          `query($afterSeq: Int!, $first: Int!) { tenantFeed(afterSeq: $afterSeq, first: $first) { head tenants ${VIEW} gone } }`,
          { afterSeq, first },
        );
        const gone = tenantFeed.gone.map((id) => [id, undefined] as const);
        return {
          head: tenantFeed.head,
          changed: [...tenantFeed.tenants.map((view) => [view.id, view] as const), ...gone],
        };
      },
      patienceMs: 15 * 60_000,
      maxHeld: 50_000,
    },
    fanOut,
    log,
  );
}
