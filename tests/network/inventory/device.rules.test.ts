import {
  advance,
  checkDevice,
  type DeviceKind,
  type DeviceLifecycle,
  isCounted,
} from '../../../subgraphs/network/inventory/device.rules.ts';

const LIFECYCLES: DeviceLifecycle[] = ['PLANNED', 'IN_SERVICE', 'RETIRED'];
const given = { name: ' core-1 ', kind: 'ROUTER', vendor: 'Juniper', model: 'MX204', serial: 'JN1201' } as const;

test('a device is planned, then in service, then retired, and never goes back', () => {
  const moves = LIFECYCLES.flatMap((from) => LIFECYCLES.map((to) => [from, to] as const));
  const possible = moves.filter(([from, to]) => {
    try {
      return advance(from, to) === to;
    } catch (error) {
      expect(error).toMatchObject({ code: 'INVALID_STATE', field: 'lifecycle' });
      return false;
    }
  });
  expect(possible).toEqual([
    ['PLANNED', 'IN_SERVICE'],
    ['IN_SERVICE', 'RETIRED'],
  ]);
});

test.each([
  ['OLT', true],
  ['ROUTER', true],
  ['NAS', true],
  ['SWITCH', true],
  ['AP', true],
  ['ONU', false],
  ['CPE', false],
  ['SPLITTER', false],
] as [DeviceKind, boolean][])('%s counts towards the licence: %s', (kind, counts) => {
  expect(isCounted(kind)).toBe(counts);
});

test('texts are trimmed and the MAC address is written one way', () => {
  expect(checkDevice({ ...given, mac: 'AABB.CC00.1122' })).toMatchObject({ name: 'core-1', mac: 'aa:bb:cc:00:11:22' });
  expect(checkDevice(given)).toMatchObject({ mac: null, managementAddress: null, siteId: null });
});

test.each([
  [{ name: ' ' }, 'name'],
  [{ name: 'x'.repeat(64) }, 'name'],
  [{ vendor: '' }, 'vendor'],
  [{ model: 'x'.repeat(81) }, 'model'],
  [{ serial: '' }, 'serial'],
  [{ mac: 'aa:bb:cc:00:11' }, 'mac'],
  [{ mac: '01:00:5e:00:00:01' }, 'mac'],
])('%j is refused with its field', (over, field) => {
  expect(() => checkDevice({ ...given, ...over })).toThrow(expect.objectContaining({ code: 'INVALID', field }));
});
