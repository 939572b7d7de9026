import type { PortalLicense } from './license-store.ts';

type Dates = 'trialEndsAt' | 'graceEndsAt' | 'restrictedEndsAt';
export type LicenseSays = Pick<PortalLicense, 'state' | Dates>;
export type Tone = 'CALM' | 'WARNING' | 'ALARM';

const DAY_MS = 86_400_000;

/** What everybody at an ISP should know about the state of its licence; null while there is nothing to say. */
export function bannerOf(license: LicenseSays | null, now: Date): { tone: Tone; text: string } | null {
  if (!license) return { tone: 'ALARM', text: 'There is no licence yet: only the core is open.' };
  const { trialEndsAt, graceEndsAt, restrictedEndsAt } = license;
  switch (license.state) {
    case 'ACTIVE':
      return null;
    case 'TRIAL':
      return { tone: 'CALM', text: trialEndsAt ? `Trial: ${daysLeft(trialEndsAt, now)} left.` : 'This is a trial.' };
    case 'GRACE':
      return { tone: 'WARNING', text: `The bill is overdue. Everything works${until(graceEndsAt)}.` };
    case 'RESTRICTED':
      return { tone: 'ALARM', text: `Read only: modules can be read${until(restrictedEndsAt)}, but not changed.` };
    case 'SUSPENDED':
      return { tone: 'ALARM', text: 'The licence is suspended: modules are shut.' };
    case 'EXPIRED':
      return { tone: 'ALARM', text: 'The licence has expired: modules are shut until it is renewed.' };
    case 'REVOKED':
      return { tone: 'ALARM', text: 'The licence was revoked: modules are shut.' };
  }
}

function daysLeft(end: string, now: Date): string {
  const ms = Date.parse(end) - now.getTime();
  if (ms <= DAY_MS) return 'less than a day';
  return `${Math.ceil(ms / DAY_MS)} days`;
}

const until = (end: string | null) =>
  end ? ` until ${new Date(end).toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' })}` : '';

type Usage = NonNullable<PortalLicense['limits']>[number];

/** What a meter shows of a quota: its words, how full it is from 0 to 1 (null: no limit), and how bad that is. */
export function meterOf({ key, baseUnit, isUnlimited, limit, used, percent }: Usage): {
  label: string;
  text: string;
  share: number | null;
  tone: Tone;
} {
  const label = WORDS[key] ?? key;
  if (isUnlimited || limit === null)
    return { label, text: `${amount(used, baseUnit)}, no limit`, share: null, tone: 'CALM' };
  if (limit === '0' && used === '0') return { label, text: 'not included', share: null, tone: 'CALM' };
  const share = limit === '0' ? 1 : Math.min(1, Number(used) / Number(limit));
  const tone = (percent ?? 0) >= 100 ? 'ALARM' : (percent ?? 0) >= 80 ? 'WARNING' : 'CALM';
  return { label, text: `${amount(used, baseUnit)} of ${amount(limit, baseUnit)}`, share, tone };
}

const WORDS: Record<string, string> = {
  subscribers: 'Subscribers',
  staff_users: 'Staff',
  devices: 'Devices',
  webhook_endpoints: 'Webhook endpoints',
  storage_gb: 'Storage',
  tickets: 'Tickets',
  api_calls: 'API calls',
};

/** Storage is counted in bytes and sold in gigabytes. */
const amount = (quantity: string, baseUnit: string) =>
  baseUnit === 'byte'
    ? `${(Number(quantity) / 1e9).toLocaleString('en-GB', { maximumFractionDigits: 1 })} GB`
    : Number(quantity).toLocaleString('en-GB');

/** An amount of minor units as people write it: `$94.14`. */
export function moneyText({ amountMinor, currency }: { amountMinor: string; currency: string }): string {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency, currencyDisplay: 'narrowSymbol' });
  return format.format(Number(amountMinor) / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}
