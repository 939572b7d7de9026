import type { EntityClass } from '@mikro-orm/postgresql';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { LicenseAddOn } from '../catalogue/add-on.entity.ts';
import { Grant } from '../terms/grant.entity.ts';
import { Hold } from '../terms/hold.entity.ts';
import { Override } from '../terms/override.entity.ts';
import { License } from './license.entity.ts';
import { type Held, holdTogether } from './license-facts.service.ts';
import { PlannedChange } from './planned-change.entity.ts';
import { inOrder } from './standing.service.ts';

/** The columns of a row as texts, as the database keeps what was; one that is missing was not there yet. */
type Texts = Record<string, string | null>;

/** How a column's text becomes what code uses, by its type there; others stay texts. */
const READ: Record<string, (text: string) => unknown> = {
  bigint: BigInt,
  number: Number,
  boolean: (text) => text === 'true',
  date: (text) => new Date(text),
  array: JSON.parse,
  any: JSON.parse,
};

function rowFrom<T extends object>(em: EntityManager, type: EntityClass<T>, texts: Texts): T {
  const row = Object.create(type.prototype);
  for (const { name, runtimeType, fieldNames = [] } of em.getMetadata(type).props) {
    const text = texts[fieldNames[0] ?? ''] ?? null;
    row[name] = text === null ? null : (READ[runtimeType.toLowerCase()]?.(text) ?? text);
  }
  return row;
}

/**
 * The licence of the caller's tenant with all it rested on at an instant, each row as it was then; null before it was
 * issued, and before there were records of it. What a counter had left is not known of the past.
 */
export async function heldThen(ctx: Context, em: EntityManager, at: Date): Promise<Held | null> {
  const [place] = await em.execute(
    `select p.license_id, (select c.version from licensing.license_change c
        where c.license_id = p.license_id and least(c.effective_at, c.at) <= ? order by c.version desc limit 1) as version
       from licensing.license_past p where p.noun = 'license' and p.at <= ? order by p.seq desc limit 1`,
    [at, at],
  );
  if (!place?.version) return null;
  const rows = await em.execute(
    `select distinct on (noun, row_id) noun, facts from licensing.license_past
      where license_id = ? and at <= ? order by noun, row_id, seq desc`,
    [place.license_id, at],
  );
  const ofNoun = <T extends object>(noun: string, type: EntityClass<T>): T[] =>
    rows.flatMap((row) => (row.noun === noun && row.facts ? [rowFrom(em, type, row.facts as Texts)] : []));
  const [license] = ofNoun('license', License);
  if (!license || license.isWithdrawn) return null;
  license.version = place.version;
  const standing = {
    addOns: ofNoun('license_add_on', LicenseAddOn),
    overrides: inOrder(ofNoun('override', Override), ({ key }) => key),
    grants: inOrder(ofNoun('grant', Grant), ({ startsAt, id }) => startsAt.toISOString() + id),
    holds: inOrder(
      ofNoun('hold', Hold).filter(({ liftedAt }) => liftedAt === null),
      ({ placedAt, id }) => placedAt.toISOString() + id,
    ),
    planned: ofNoun('planned_change', PlannedChange).filter(isWaiting),
  };
  const [held] = await holdTogether(em, [license], standing, ctx.machinery.config);
  return held ?? null;
}

const isWaiting = ({ status }: PlannedChange) => status === 'SCHEDULED' || status === 'AWAITING_PAYMENT';
