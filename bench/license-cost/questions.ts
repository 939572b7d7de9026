import type { Person } from '../../tests/setup/gateway.ts';
import { median, percentile, type Result } from '../setup.ts';

const WARM_UP = 20;
const TIMES = 200;
const [PREVIEW_MS, LICENSE_MS] = [300, 50];

const PREVIEW = `{ previewLicenseChange(input: { plan: "starter" }) {
  hash direction net { amountMinor currency } lines { key amount { amountMinor currency } } refusals { message }
  endedFeatures { feature noun } reducedLimits { key used to excess treatment }
  crmFootprint { noun count meaning } ticketsFootprint { noun count meaning } } }`;

const LICENSE = `{ license {
  version state enforcement enabledFeatures features { feature access source expiresAt reason }
  planVersion { number plan { code } } interval validFrom validUntil graceEndsAt nextTransitionAt autoRenew
  addOns { quantity addOn { code } } grants { key expiresAt } overrides { key isEnabled } holds { kind }
  limits { key isUnlimited limit used policy } scheduledChange { id } } }`;

interface Preview {
  previewLicenseChange: {
    hash: string;
    endedFeatures: object[];
    reducedLimits: object[];
    crmFootprint: { noun: string; count: number }[] | null;
  };
}

interface LicenseAnswer {
  license: { state: string; features: object[]; limits: object[] };
}

/** What a downgrade would mean, with what it would shut away in every domain; and the whole licence as its page shows it. */
export async function previews(person: Person, contacts: number): Promise<Result> {
  return asked(
    `preview of a downgrade with its impact, ${contacts.toLocaleString('en')} contacts, p95`,
    PREVIEW_MS,
    async () => {
      const { data, errors } = await person.ask<Preview, object>(PREVIEW);
      const told = data?.previewLicenseChange;
      const isRight =
        told?.hash &&
        told.endedFeatures.length > 0 &&
        told.reducedLimits.length > 0 &&
        told.crmFootprint?.[0]?.count === contacts;
      if (errors || !isRight) throw new Error(JSON.stringify(errors ?? data));
    },
  );
}

export async function licenseQuery(person: Person): Promise<Result> {
  return asked('`license` with everything in it, p95', LICENSE_MS, async () => {
    const { data, errors } = await person.ask<LicenseAnswer, object>(LICENSE);
    const isRight =
      data?.license.state === 'ACTIVE' && data.license.features.length > 0 && data.license.limits.length > 0;
    if (errors || !isRight) throw new Error(JSON.stringify(errors ?? data));
  });
}

async function asked(what: string, boundMs: number, ask: () => Promise<void>): Promise<Result> {
  const took: number[] = [];
  for (let i = 0; i < WARM_UP + TIMES; i++) {
    const askedAt = performance.now();
    await ask();
    if (i >= WARM_UP) took.push(performance.now() - askedAt);
  }
  const p95 = percentile(took, 0.95);
  const figure = `${p95.toFixed(1)} ms (median ${median(took).toFixed(1)} ms)`;
  return { what, figure, bound: `≤ ${boundMs} ms`, holds: p95 <= boundMs };
}
