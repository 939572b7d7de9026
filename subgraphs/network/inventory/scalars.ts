import { GraphQLScalarType } from 'graphql';
import { badInput } from '../../../schema/errors.ts';
import { canonicalAddress, canonicalMac } from './address.rules.ts';

/** Longest text of either that is looked at. */
const MAX_LENGTH = 64;

export const IpAddress = new GraphQLScalarType<string, string>({
  name: 'IpAddress',
  description: 'An IPv4 or IPv6 address, answered as RFC 5952 says: `192.0.2.7`, `2001:db8::1`.',
  serialize: (value) => canonicalAddress(String(value)) ?? String(value),
  parseValue: (value) => {
    const address = typeof value === 'string' && value.length <= MAX_LENGTH ? canonicalAddress(value) : null;
    if (!address) throw badInput('This is not an address.');
    return address;
  },
});

export const MacAddress = new GraphQLScalarType<string, string>({
  name: 'MacAddress',
  description: 'An EUI-48, taken with colons, dashes, dots or nothing between, answered as `aa:bb:cc:00:11:22`.',
  serialize: (value) => canonicalMac(String(value)) ?? String(value),
  // Whether it is one is a rule of the noun that holds it, which answers with its field.
  parseValue: (value) => {
    if (typeof value !== 'string' || value.length > MAX_LENGTH) throw badInput('A MAC address is written as a string.');
    return value;
  },
});
