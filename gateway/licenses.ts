import { randomUUID } from 'node:crypto';
import type { Feature, QuotaKey } from '../schema/features.ts';
import { type EntitlementStep, stepAt } from '../subgraphs/_kernel/entitlement-course.ts';
import type { FanOut } from '../subgraphs/_kernel/fan-out.ts';
import type { Logger } from '../subgraphs/_kernel/telemetry.ts';
import type { Ask } from './ask.ts';
import { HeldCopies } from './held-copies.ts';
import { licenseCacheHits, licenseCacheRequests } from './metrics.ts';

/** What a gateway holds of a tenant's licence: everything a door needs to know, now and later. */
export interface LicenseView {
  tenantId: string;
  licenseId: string;
  version: number;
  plan: string;
  course: EntitlementStep[];
  limits: unknown;
}

interface ViewRow extends Omit<LicenseView, 'course' | 'limits'> {
  course: string;
  limits: string;
}

/** What would open a denied door. */
export interface Offers {
  features: Partial<Record<Feature, { requiredPlan: string | null; addOns: string[] }>>;
  quotas: Partial<Record<QuotaKey, Record<string, string | null>>>;
}

const VIEW = '{ tenantId licenseId version plan course limits }';
const PATIENCE_MS = 15 * 60_000;
const OFFERS_MS = 60_000;

export interface Licenses {
  /** The newest licence of a tenant, null if it has none. */
  get(tenantId: string): Promise<LicenseView | null>;
  /** The same without waiting: undefined when it is not held or not fresh. */
  peek(tenantId: string): LicenseView | null | undefined;
  onChange(tenantId: string, changed: () => void): () => void;
  offers(): Promise<Offers>;
  readonly isFresh: boolean;
  refresh(): Promise<void>;
  close(): Promise<void>;
}

const read = (row: ViewRow): LicenseView => ({
  ...row,
  course: JSON.parse(row.course),
  limits: JSON.parse(row.limits),
});

/** Holds tenants' licences in memory, live by licensing's feed. The only cache of licences there is. */
export function holdLicenses(ask: Ask, fanOut: FanOut, log: Logger, clock?: () => number): Licenses {
  const nodeId = randomUUID();
  const copies = new HeldCopies<LicenseView>(
    {
      feed: 'licenses',
      async load(ids) {
        const { licenseViews } = await ask<{ licenseViews: ViewRow[] }>(
          'licensing',
          `query($ids: [ID!]!) { licenseViews(tenantIds: $ids) ${VIEW} }`,
          { ids },
        );
        return new Map(licenseViews.map((row) => [row.tenantId, read(row)]));
      },
      async readFeed(afterSeq, first) {
        const { licenseFeed } = await ask<{ licenseFeed: { head: number; views: ViewRow[]; gone: string[] } }>(
          'licensing',
          `query($afterSeq: Int!, $first: Int!) { licenseFeed(afterSeq: $afterSeq, first: $first) { head views ${VIEW} gone } }`,
          { afterSeq, first },
        );
        const { head, views, gone } = licenseFeed;
        const dropped = gone.map((tenantId) => [tenantId, undefined] as const);
        return { head, changed: [...views.map((row) => [row.tenantId, read(row)] as const), ...dropped] };
      },
      async confirm(seq) {
        await ask(
          'licensing',
          'mutation($nodeId: String!, $seq: Int!) { confirmLicenses(nodeId: $nodeId, seq: $seq) }',
          { nodeId, seq },
        );
      },
      isNewer: (held, heard) => heard.version >= held.version,
      patienceMs: PATIENCE_MS,
      maxHeld: 50_000,
    },
    fanOut,
    log,
    clock,
  );
  let offers: { at: number; value: Promise<Offers> } | undefined;
  return {
    get: (tenantId) => {
      licenseCacheRequests.inc();
      if (copies.peek(tenantId) !== undefined) licenseCacheHits.inc();
      return copies.get(tenantId);
    },
    peek: (tenantId) => copies.peek(tenantId),
    onChange: (tenantId, changed) => copies.onChange(tenantId, changed),
    refresh: () => copies.refresh(),
    offers() {
      if (!offers || performance.now() - offers.at > OFFERS_MS) {
        const value = ask<{ offers: string }>('licensing', '{ offers }').then(
          (answer) => JSON.parse(answer.offers) as Offers,
        );
        value.catch(() => (offers = undefined));
        offers = { at: performance.now(), value };
      }
      return offers.value;
    },
    get isFresh() {
      return copies.isFresh;
    },
    close: () => copies.close(),
  };
}

/** What a licence opens at an instant of its tenant's clock. A tenant without one has its core and nothing gated. */
export function entitlementsAt(
  license: LicenseView | null,
  now: Date,
): Pick<EntitlementStep, 'core' | 'coreReason' | 'features' | 'observed'> & { state: string | null } {
  const step = license && stepAt(license.course, now);
  return step
    ? {
        ...{ core: step.core, coreReason: step.coreReason },
        ...{ features: step.features, observed: step.observed, state: step.state },
      }
    : { core: 'FULL', features: {}, state: null };
}

/** How long after an instant of its tenant's clock a licence next changes by time alone, milliseconds; or for ever. */
export function untilNextStep(license: LicenseView | null, now: Date): number {
  const step = license?.course.find(({ from }) => new Date(from) > now);
  return step ? new Date(step.from).getTime() - now.getTime() : Number.POSITIVE_INFINITY;
}
