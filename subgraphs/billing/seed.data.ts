import type { SeedTenant } from '../_kernel/seed-world.ts';
import type { CustomerKind } from './accounts/customer.rules.ts';

export interface Somebody {
  /** Last digits of the id. */
  id: string;
  name: string;
  kind?: CustomerKind;
  email: string;
  phone?: string;
  street: string;
  city: string;
  country: string;
  currency?: string;
  locale?: string;
  /** What it was charged for, and the price in major units, tax included. */
  charges?: readonly (readonly [description: string, price: string])[];
  paidMinor?: bigint;
}

interface Isp {
  slug: SeedTenant;
  id: string;
  name: string;
  city: string;
  country: string;
  /** Lines of its licence this month, US cents. */
  lines: readonly (readonly [key: string, amountMinor: number])[];
  isPaid?: boolean;
}

/** The ISPs as customers of the platform. */
export const ISPS: readonly Isp[] = [
  {
    slug: 'kestrel',
    id: '7001',
    name: 'Kestrel Wireless',
    city: 'Denver',
    country: 'US',
    lines: [
      ['starter', 99_00],
      ['storage_100', 5_00],
    ],
  },
  {
    slug: 'northwind',
    id: '7002',
    name: 'Northwind Fibre',
    city: 'Berlin',
    country: 'DE',
    lines: [['professional', 299_00]],
    isPaid: true,
  },
  { slug: 'harbour', id: '7003', name: 'Harbour Net', city: 'Lagos', country: 'NG', lines: [] },
  {
    slug: 'sable',
    id: '7004',
    name: 'Sable Telecom',
    city: 'Manila',
    country: 'PH',
    lines: [['professional', 299_00]],
  },
  {
    slug: 'atlas',
    id: '7005',
    name: 'Atlas Broadband',
    city: 'São Paulo',
    country: 'BR',
    lines: [['enterprise', 8_991_00]],
  },
  { slug: 'oldtown', id: '7006', name: 'Oldtown Cable', city: 'Warsaw', country: 'PL', lines: [] },
  { slug: 'fable', id: '7007', name: 'Fable Net', city: 'London', country: 'GB', lines: [] },
];

const FIBRE_100 = ['Fibre 100', '47.48'] as const;

const LENA = { name: 'Lena Spaet', email: 'lena@northwind.example', phone: '+49 30 5550131', street: 'Gartenstraße 7' };
const MARA = { name: 'Mara Lind', email: 'mara@northwind.example', phone: '+49 30 5550132', street: 'Gartenstraße 7' };
const ADLER = {
  name: 'Praxis Adler',
  kind: 'BUSINESS',
  email: 'praxis@adler.example',
  street: 'Lindenallee 12',
} as const;
const BERLIN = { city: 'Berlin', country: 'DE', locale: 'de-DE' };
const DENVER = { city: 'Denver', country: 'US', locale: 'en-US' };

/** The people the example world has names for. Those of harbour and atlas look like northwind's, so that leaks show. */
export const PEOPLE: Partial<Record<SeedTenant, readonly Somebody[]>> = {
  kestrel: [
    { id: '7017', ...DENVER, name: 'Sue Lake', email: 'sue@lake.example', street: '18 Aspen Road' },
    {
      id: '7018',
      ...DENVER,
      name: 'Old Mill',
      kind: 'BUSINESS',
      email: 'office@oldmill.example',
      street: '2 Mill Lane',
      charges: [['Air 25', '49.99']],
    },
    {
      id: '7019',
      ...DENVER,
      name: 'Marcus Tran',
      email: 'marcus@kestrel.example',
      phone: '+1 303 555 0119',
      street: '41 Juniper Street',
      charges: [
        ['Air 50', '64.99'],
        ['Router rental', '10.81'],
      ],
    },
  ],
  northwind: [
    { id: '7031', ...BERLIN, ...LENA, charges: [FIBRE_100, ['TV', '11.89']] },
    { id: '7032', ...BERLIN, ...MARA, charges: [FIBRE_100], paidMinor: 47_48n },
    { id: '7033', ...BERLIN, ...ADLER, charges: [['Fibre 100, one year', '570.01']], paidMinor: 570_01n },
    {
      id: '7034',
      ...BERLIN,
      name: 'Hafen Logistik',
      kind: 'BUSINESS',
      email: 'ole@hafen-logistik.example',
      street: 'Westhafenstraße 1',
      currency: 'USD',
      charges: [['Transit 95/5', '212.00']],
      paidMinor: 212_00n,
    },
    {
      id: '7035',
      name: 'Tulip Design BV',
      kind: 'BUSINESS',
      email: 'admin@tulip.example',
      street: 'Herengracht 101',
      city: 'Amsterdam',
      country: 'NL',
      locale: 'nl-NL',
      charges: [['Fibre 500', '59.99']],
    },
    {
      id: '7036',
      ...BERLIN,
      name: 'Jonas Streit',
      email: 'jonas@streit.example',
      street: 'Torstraße 90',
      charges: [FIBRE_100],
    },
    {
      id: '7037',
      ...BERLIN,
      name: 'Mia Auto',
      email: 'mia@auto.example',
      street: 'Torstraße 91',
      charges: [FIBRE_100],
      paidMinor: 47_48n,
    },
    {
      id: '7038',
      ...BERLIN,
      name: 'Paul Wort',
      email: 'paul@wort.example',
      street: 'Torstraße 92',
      charges: [FIBRE_100],
    },
    {
      id: '7039',
      ...BERLIN,
      name: 'Ida Bruch',
      email: 'ida@bruch.example',
      street: 'Torstraße 93',
      charges: [FIBRE_100],
    },
  ],
  harbour: [
    { id: '7041', ...BERLIN, ...LENA, charges: [['Fibre 100', '47480.00']] },
    {
      id: '7042',
      name: 'Amaka Obi',
      email: 'amaka@obi.example',
      street: '4 Marina Road',
      city: 'Lagos',
      country: 'NG',
    },
  ],
  sable: [
    {
      id: '7051',
      name: 'Jun Reyes',
      email: 'jun@reyes.example',
      street: '9 Mabini Street',
      city: 'Manila',
      country: 'PH',
    },
  ],
  atlas: [
    { id: '7077', ...BERLIN, ...ADLER },
    { id: '7078', ...BERLIN, ...LENA, currency: 'EUR', charges: [FIBRE_100, ['TV', '11.89']] },
    { id: '7079', ...BERLIN, ...MARA, currency: 'EUR', charges: [FIBRE_100], paidMinor: 47_48n },
  ],
  oldtown: [
    { id: '7061', name: 'Jan Wolski', email: 'jan@wolski.example', street: 'Rynek 3', city: 'Warsaw', country: 'PL' },
  ],
  fable: [
    {
      id: '7091',
      name: 'Nora Field',
      email: 'nora@field.example',
      street: '5 Sand Close',
      city: 'London',
      country: 'GB',
    },
  ],
};

/** Tenants filled up to `total` customers. */
export const BULK: Partial<
  Record<
    SeedTenant,
    Record<'street' | 'city' | 'country' | 'locale' | 'firstNames' | 'lastNames', string> & {
      total: number;
      firstId: number;
    }
  >
> = {
  kestrel: {
    total: 312,
    firstId: 710_000,
    street: 'Prairie Road',
    ...DENVER,
    firstNames: 'Ava Ben Cora Dean Ella Finn Gail Hugo Iris Jack Kate Liam Mona Neil Opal Pete',
    lastNames: 'Adams Baker Clark Dixon Evans Ford Grant Hayes Irwin Jones Keller Lopez Mason Nolan Owens Price',
  },
  northwind: {
    total: 600,
    firstId: 720_000,
    street: 'Ahornweg',
    ...BERLIN,
    firstNames: 'Anna Bernd Clara Dirk Eva Frank Greta Hans Inga Jan Karin Lars Marta Nico Olga Peter',
    lastNames: 'Arndt Becker Conrad Diehl Ebert Fuchs Gross Haas Ihle Jung Kraus Lang Maier Noll Otto Pohl',
  },
};
