import type { SeedTenant } from '../../subgraphs/_kernel/seed-world.ts';
import type { Owners } from './owners.ts';

const CANARIES = /CANARY-([A-Z]+)/gi;
const IDS = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi;

/** The ids that stand in a text. */
export const idsIn = (text: string): Set<string> => new Set([...text.matchAll(IDS)].map(([id]) => id.toLowerCase()));

/** The word that stands in every text somebody of a tenant writes. */
export const canaryOf = (tenant: SeedTenant) => `CANARY-${tenant.toUpperCase()}`;

/**
 * Ids another tenant may hand in with a mutation, every second one: what such a mutation lays down may be shown to its
 * tenant again later. The others are never told to a mutation, and whoever shows one has read it across the wall.
 */
export const isBait = (id: string) => Number.parseInt(id.slice(-1), 16) % 2 === 0;

/** Something of another tenant, and where it was shown. */
export interface Finding {
  what: string;
  where: string;
}

/** Looks at everything that is shown to anybody, and says in the end what of it was another's. */
export class Watch {
  /** Texts looked at. */
  answers = 0;
  events = 0;
  logLines = 0;
  /** Tenants whose own people were shown their own texts: what is looked for is there to be found. */
  readonly ownWords = new Set<string>();
  private readonly canaries: Finding[] = [];
  /** Each id with those it was shown to, and where first. */
  private readonly shown = new Map<string, Map<string, { tenants: readonly SeedTenant[]; where: string }>>();
  /** Log lines with several ids, once each. */
  private readonly lines = new Map<string, string>();

  answer(text: string, tenants: readonly SeedTenant[], sent: ReadonlySet<string>, where: string): void {
    this.answers++;
    this.look(text, tenants, sent, where);
  }

  event(text: string, tenants: readonly SeedTenant[], where: string): void {
    this.events++;
    this.look(text, tenants, new Set(), where);
  }

  /** A log is read by those who run this: it holds nobody's texts, and no line mixes two tenants. */
  logged(line: string): void {
    this.logLines++;
    for (const [word] of line.matchAll(CANARIES))
      this.canaries.push({ what: word, where: `the log: ${line.slice(0, 600)}` });
    const ids = idsIn(line);
    if (ids.size > 1) this.lines.set([...ids].sort().join(' '), line);
  }

  private look(text: string, tenants: readonly SeedTenant[], sent: ReadonlySet<string>, where: string): void {
    for (const [word, slug = ''] of text.matchAll(CANARIES))
      if (tenants.some((tenant) => tenant === slug.toLowerCase())) this.ownWords.add(slug.toLowerCase());
      else this.canaries.push({ what: word, where: `${where}: ${text.slice(0, 600)}` });
    const key = tenants.join();
    for (const id of idsIn(text)) {
      if (sent.has(id)) continue;
      const held = this.shown.get(id) ?? new Map();
      this.shown.set(id, held);
      if (!held.has(key)) held.set(key, { tenants, where });
    }
  }

  /** What was shown across the wall, by whose the ids are in all of these. */
  findings(known: readonly Owners[]): Finding[] {
    const ownersOf = (id: string) => new Set(known.flatMap(({ of }) => [...(of.get(id) ?? [])]));
    const found = [...this.canaries];
    for (const [id, places] of this.shown) {
      const owners = ownersOf(id);
      if (owners.size === 0 || isLaidDown(id, known)) continue;
      for (const { tenants, where } of places.values())
        if (!tenants.some((tenant) => owners.has(tenant)))
          found.push({ what: `${id} of ${[...owners].join()}`, where });
    }
    for (const line of this.lines.values()) {
      const owners = [...idsIn(line)].filter((id) => !isLaidDown(id, known)).map(ownersOf);
      const first = owners.find((one) => one.size > 0);
      if (first && owners.some((one) => one.size > 0 && ![...one].some((slug) => first.has(slug))))
        found.push({ what: 'ids of two tenants', where: `the log: ${line.slice(0, 600)}` });
    }
    return found;
  }

  /** How many ids were shown that somebody owns. */
  idsShown(known: readonly Owners[]): number {
    return [...this.shown.keys()].filter((id) => known.some(({ of }) => of.has(id))).length;
  }
}

/** An id of the first reading that mutations of others may have laid down; nobody is told of those made since. */
const isLaidDown = (id: string, [atFirst]: readonly Owners[]) => isBait(id) && atFirst?.of.has(id) === true;
