/** Calls of one lease at most (R19). */
const MAX_LEASE = 100n;

/** How many calls a gateway gets that asks for some: near the end half of what is left, so that others get some too. */
export function leaseOf(left: bigint | null, asked: bigint): bigint {
  const wanted = asked < MAX_LEASE ? asked : MAX_LEASE;
  if (left === null) return wanted;
  const share = (left + 1n) / 2n;
  return share < wanted ? share : wanted;
}
