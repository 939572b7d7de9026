/** Something a quota counts, as far as it matters when its limit falls. */
export interface Limited {
  id: string;
  createdAt: Date;
  /** Frozen by an earlier reduction. */
  isFrozen?: boolean;
  /** One of these is never frozen, whatever the limit: a tenant without any could not help itself. */
  isProtected?: boolean;
}

/**
 * What a limit leaves no place for, in the order in which it would come back (licensing R15): those named in `keepIds`
 * stay first, in the order they are named, then what is not frozen, then what is, each the oldest first. What is frozen
 * and not in the answer thaws. Asked again with its own answer applied, it answers the same.
 * @param limit how many may be used; null is without end.
 */
export function frozenOf<T extends Limited>(all: readonly T[], limit: bigint | null, keepIds: readonly string[]): T[] {
  if (limit === null) return [];
  const named = new Map([...new Set(keepIds)].map((id, i) => [id, i]));
  const placeOf = ({ id }: T) => named.get(id) ?? named.size;
  const ordered = [...all].sort(
    (a, b) =>
      placeOf(a) - placeOf(b) ||
      Number(a.isFrozen ?? false) - Number(b.isFrozen ?? false) ||
      a.createdAt.getTime() - b.createdAt.getTime() ||
      (a.id < b.id ? -1 : 1),
  );
  const last = ordered.find(({ isProtected }) => isProtected);
  const ranked = last ? [last, ...ordered.filter((one) => one !== last)] : ordered;
  return ranked.slice(Math.max(Number(limit), last ? 1 : 0));
}
