import 'reflect-metadata';
import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { canonicalAddress, canonicalMac } from '../../../subgraphs/network/inventory/address.rules.ts';
import { IpAddress, MacAddress } from '../../../subgraphs/network/inventory/scalars.ts';

describe('an IP address has one text', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:DB8::1', '2001:db8::1'],
    ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['::ffff:c000:0207', '::ffff:192.0.2.7'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['fe80::1', 'fe80::1'],
  ])('%s is %s', (text, canonical) => {
    expect(canonicalAddress(text)).toBe(canonical);
  });

  test.each([
    '010.0.0.1',
    '192.0.2.300',
    '1.2.3',
    '0x7f.1',
    ' 192.0.2.1',
    '192.0.2.1 ',
    'fe80::1%eth0',
    '2001:db8::1::2',
    '2001:db8:::1',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    '::ffff:010.0.0.1',
    '192.0.2.0/24',
    '::/0',
    '[::1]',
    '',
  ])('%j is none', (text) => {
    expect(canonicalAddress(text)).toBeNull();
    expect(() => IpAddress.parseValue(text)).toThrow('This is not an address.');
  });

  test('is the same however it was written, and is what an independent reader makes of it', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const canonical = canonicalAddress(text) as string;
        expect(isIPv6(canonical)).toBe(true);
        expect(canonicalAddress(canonical)).toBe(canonical);
        expect(canonicalAddress(text.toUpperCase())).toBe(canonical);
        // The URL standard compresses as RFC 5952 does, but writes IPv4-mapped addresses in hexadecimal.
        const read = (address: string) => new URL(`http://[${address}]`).hostname.slice(1, -1);
        expect(read(canonical)).toBe(read(text));
        if (!canonical.includes('.')) expect(canonical).toBe(read(text));
      }),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(fc.ipV4(), (text) => {
        expect(canonicalAddress(text)).toBe(text);
      }),
    );
  });

  test('no other text is taken for one', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!isIPv4(text) && !isIPv6(text));
        expect(canonicalAddress(text)).toBeNull();
      }),
    );
  });
});

describe('a MAC address has one text', () => {
  const bytes = fc
    .uint8Array({ minLength: 6, maxLength: 6 })
    .filter(([first = 0, ...rest]) => (first & 1) === 0 && [first, ...rest].some(Boolean));

  test('with colons, dashes, dots or nothing between, in any case', () => {
    fc.assert(
      fc.property(bytes, (octets) => {
        const pairs = [...octets].map((octet) => octet.toString(16).padStart(2, '0'));
        const canonical = pairs.join(':');
        const cisco = [0, 2, 4].map((i) => pairs[i] + String(pairs[i + 1])).join('.');
        for (const text of [canonical, pairs.join('-').toUpperCase(), cisco, pairs.join('')])
          expect(canonicalMac(text)).toBe(canonical);
      }),
    );
  });

  test.each([
    ['aa:bb:cc:00:11', 'five bytes'],
    ['aa:bb:cc:00:11:22:33', 'seven bytes'],
    ['01:00:5e:00:00:01', 'a group'],
    ['ff:ff:ff:ff:ff:ff', 'everybody'],
    ['00:00:00:00:00:00', 'nobody'],
    ['aa:bb-cc:00:11:22', 'mixed'],
    ['aa:bb:cc:00:11:2g', 'no digit'],
    ['', 'empty'],
  ])('%j is none: %s', (text) => {
    expect(canonicalMac(text)).toBeNull();
  });

  test('is answered canonical whatever stands in the database', () => {
    expect(MacAddress.serialize('AABB.CC00.1122')).toBe('aa:bb:cc:00:11:22');
    expect(IpAddress.serialize('2001:DB8:0::1')).toBe('2001:db8::1');
  });
});
