import type { SeedTenant } from '../_kernel/seed-world.ts';
import type { NewServicePlan } from './access/service-plan.rules.ts';
import type { NewDevice } from './inventory/device.rules.ts';
import type { NewSite } from './inventory/site.rules.ts';

type SeedDevice = Omit<NewDevice, 'siteId'> & { site: string };

/** A network of the example world; its addresses are documentation ranges (RFC 5737, RFC 3849). */
export interface SeedNetwork {
  sites: readonly NewSite[];
  devices: readonly SeedDevice[];
  plans: readonly NewServicePlan[];
}

/** Customer, plan, and whether it is only asked for yet. */
export type SeedService = readonly [customer: string, plan: string, isOnlyRequested?: true];

export interface SeedPart {
  network: SeedNetwork;
  /** First digits of the ids of its sites, devices and services. */
  ids: string;
  city: string;
  country: string;
  services: readonly SeedService[];
}

const range = (n: number) => Array.from({ length: n }, (_, i) => i + 1);
const two = (n: number) => String(n).padStart(2, '0');

const fibre = (code: string, downKbps: number, upKbps: number): NewServicePlan => ({
  code,
  kind: 'INTERNET',
  technology: 'FIBRE',
  downKbps,
  upKbps,
});
const air = (code: string, downKbps: number, upKbps: number): NewServicePlan => ({
  code,
  kind: 'INTERNET',
  technology: 'FIXED_WIRELESS',
  downKbps,
  upKbps,
});

/** 2 routers, 2 NAS, 8 switches and 8 OLTs: 20 that count; three ONUs that do not. */
const FIBRE: SeedNetwork = {
  sites: [
    { name: 'Mitte', kind: 'DATA_CENTRE', point: { longitude: 13.3889, latitude: 52.517 } },
    ...range(8).map(
      (n): NewSite => ({
        name: `Ring ${n}`,
        kind: n > 6 ? 'CABINET' : 'POP',
        point: { longitude: 13.3 + n / 50, latitude: 52.5 },
      }),
    ),
  ],
  devices: [
    ...range(2).map((n) => device('ROUTER', `core-${n}`, 'Mitte', 'Juniper', 'MX204', `JN12${two(n)}`, 0x10 + n)),
    ...range(2).map((n) =>
      device(
        'NAS',
        `nas-${n}`,
        'Mitte',
        n === 1 ? 'MikroTik' : 'Cisco',
        n === 1 ? 'CCR2216' : 'ASR 1001-X',
        `NAS${two(n)}`,
        0x20 + n,
      ),
    ),
    ...range(8).map((n) => device('SWITCH', `agg-${n}`, `Ring ${n}`, 'Arista', '7280R3', `AR70${two(n)}`, 0x30 + n)),
    ...range(8).map((n) => device('OLT', `olt-${n}`, `Ring ${n}`, 'Nokia', 'ISAM 7360', `NK36${two(n)}`, 0x40 + n)),
    ...range(3).map((n) => ({
      ...device('ONU', `onu-${n}`, 'Ring 1', 'Nokia', 'G-010G-Q', `ALCL${two(n)}`, 0x50 + n),
      managementAddress: null,
    })),
  ],
  plans: [
    fibre('fibre100', 100_000, 50_000),
    fibre('fibre500', 500_000, 250_000),
    fibre('fibre1000', 1_000_000, 500_000),
    { code: 'tv', kind: 'TV', technology: 'FIBRE', downKbps: 20_000, upKbps: 1_000 },
    { code: 'voice', kind: 'VOICE', technology: 'FIBRE', downKbps: 128, upKbps: 128 },
  ],
};

/** 4 at the centre, 18 on four towers: 22 that count of the 25 its plan allows; two CPEs that do not. */
const WIRELESS: SeedNetwork = {
  sites: [
    { name: 'Larimer', kind: 'POP', point: { longitude: -104.9903, latitude: 39.7392 } },
    ...range(4).map(
      (n): NewSite => ({ name: `Tower ${n}`, kind: 'TOWER', point: { longitude: -105 - n / 20, latitude: 39.7 } }),
    ),
  ],
  devices: [
    ...range(2).map((n) => device('ROUTER', `edge-${n}`, 'Larimer', 'MikroTik', 'CCR2116', `MT21${two(n)}`, 0x60 + n)),
    device('NAS', 'bras-1', 'Larimer', 'MikroTik', 'CCR2216', 'MT2201', 0x64),
    device('SWITCH', 'sw-1', 'Larimer', 'MikroTik', 'CRS518', 'MT5101', 0x65),
    ...range(4).flatMap((tower) => [
      device('ROUTER', `tower-${tower}`, `Tower ${tower}`, 'MikroTik', 'RB5009', `MT50${two(tower)}`, 0x70 + tower),
      ...range(tower > 2 ? 3 : 4).map((sector) =>
        device(
          'AP',
          `tower-${tower}-sector-${sector}`,
          `Tower ${tower}`,
          'Cambium',
          'ePMP 4600',
          `CB${tower}${two(sector)}`,
          tower * 0x20 + sector,
        ),
      ),
    ]),
    ...range(2).map((n) => ({
      ...device('CPE', `cpe-${n}`, 'Tower 1', 'Cambium', 'Force 4600C', `CP${two(n)}`, 0xf0 + n),
      managementAddress: null,
    })),
  ],
  plans: [air('air25', 25_000, 5_000), air('air50', 50_000, 10_000)],
};

function device(
  kind: NewDevice['kind'],
  name: string,
  site: string,
  vendor: string,
  model: string,
  serial: string,
  last: number,
): SeedDevice {
  const mac = `02:00:5e:00:53:${last.toString(16).padStart(2, '0')}`;
  return { kind, name, site, vendor, model, serial, mac, managementAddress: `2001:db8:100::${last.toString(16)}` };
}

const BERLIN = { city: 'Berlin', country: 'DE' };

/** harbour and atlas have northwind's network value for value, so that leaks show. */
export const PARTS: Partial<Record<SeedTenant, SeedPart>> = {
  kestrel: {
    network: WIRELESS,
    ids: '41',
    city: 'Denver',
    country: 'US',
    services: [
      ['7019', 'air50'],
      ['7017', 'air25'],
      ['7018', 'air25'],
    ],
  },
  northwind: {
    network: FIBRE,
    ids: '42',
    ...BERLIN,
    services: [
      ['7031', 'fibre100'],
      ['7031', 'tv'],
      ['7032', 'fibre100'],
      ['7033', 'fibre100'],
      ['7033', 'voice'],
      ['7034', 'fibre1000'],
      ['7035', 'fibre500'],
      ['7036', 'fibre100'],
      ['7037', 'fibre100'],
      ['7038', 'fibre100'],
      ['7039', 'fibre500', true],
    ],
  },
  harbour: {
    network: FIBRE,
    ids: '43',
    ...BERLIN,
    services: [
      ['7041', 'fibre100'],
      ['7041', 'tv'],
    ],
  },
  atlas: {
    network: FIBRE,
    ids: '44',
    ...BERLIN,
    services: [
      ['7078', 'fibre100'],
      ['7078', 'tv'],
      ['7079', 'fibre100'],
      ['7077', 'fibre100'],
    ],
  },
};
