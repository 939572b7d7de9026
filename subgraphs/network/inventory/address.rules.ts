import { isIPv4, isIPv6 } from 'node:net';

/**
 * The one text of an IP address: dotted decimal, or RFC 5952 for version 6. Null for what is no address: leading zeros,
 * missing parts, zone ids, blanks.
 */
export function canonicalAddress(text: string): string | null {
  if (isIPv4(text)) return text;
  if (!isIPv6(text) || text.includes('%')) return null;
  return textOf(groupsOf(text));
}

/** The eight 16-bit groups of a valid IPv6 text. */
function groupsOf(text: string): number[] {
  const [head = '', tail] = text.split('::').map((side) => side.split(':').filter(Boolean).flatMap(valuesOf));
  if (tail === undefined) return [...head] as number[];
  return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail] as number[];
}

/** A group, or the two that an IPv4 address at the end stands for. */
function valuesOf(part: string): number[] {
  if (!part.includes('.')) return [Number.parseInt(part, 16)];
  const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
  return [a * 256 + b, c * 256 + d];
}

/** RFC 5952: the first longest run of two or more zero groups becomes `::`; IPv4-mapped addresses end in dotted decimal. */
function textOf(groups: readonly number[]): string {
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (isMapped) {
    const bytes = groups.slice(6).flatMap((group) => [group >> 8, group & 255]);
    return `::ffff:${bytes.join('.')}`;
  }
  const { start, length } = longestZeros(groups);
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  if (length < 2) return hex(groups);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 };
  let start = 0;
  groups.forEach((group, i) => {
    if (group !== 0) start = i + 1;
    else if (i + 1 - start > longest.length) longest = { start, length: i + 1 - start };
  });
  return longest;
}

const MAC_FORMS = [
  /^[0-9a-f]{12}$/,
  /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/,
  /^[0-9a-f]{2}(-[0-9a-f]{2}){5}$/,
  /^[0-9a-f]{4}(\.[0-9a-f]{4}){2}$/,
];

/** The one text of a device's EUI-48, `aa:bb:cc:00:11:22`. Null for other lengths, group addresses and all zeros [R31]. */
export function canonicalMac(text: string): string | null {
  const lower = text.toLowerCase();
  if (!MAC_FORMS.some((form) => form.test(lower))) return null;
  const digits = lower.replace(/[^0-9a-f]/g, '');
  const isGroup = (Number.parseInt(digits.slice(0, 2), 16) & 1) === 1;
  if (isGroup || /^0+$/.test(digits)) return null;
  return digits.replace(/(..)(?=.)/g, '$1:');
}
