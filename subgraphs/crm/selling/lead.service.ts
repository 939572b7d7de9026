import { uuidv7 } from 'uuidv7';
import { localDate } from '../../../schema/calendar.ts';
import { anywhere, asInstant, asWhole, placeAfter } from '../../../schema/cursor.ts';
import { isId } from '../../../schema/ids.ts';
import { type Connection, connect, type PageArgs } from '../../../schema/page.ts';
import { expectVersion } from '../../../schema/words.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { once } from '../../_kernel/idempotency.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import { nextNumber } from '../../_kernel/number-series.ts';
import { type TenantProfile, tenantProfile } from '../../_kernel/tenant-profile.ts';
import { Lead } from './lead.entity.ts';
import * as rules from './lead.rules.ts';
import { scoreOf } from './score.rules.ts';

/** Characters a search begins with. */
const MIN_SEARCH = 2;

export interface NewLead extends rules.TypedLead {
  idempotencyKey: string;
}

export interface LeadChanges extends Partial<rules.TypedLead> {
  leadId: string;
  expectedVersion: number;
}

export interface LeadMove {
  leadId: string;
  expectedVersion: number;
}

export interface LeadSearch {
  status?: rules.LeadStatus[] | null;
  ownerId?: string | null;
  text?: string | null;
}

export type LeadOrder = 'NEWEST' | 'SCORE';

/** Leads, newest or best first; `text` finds numbers, names, e-mail addresses and telephone numbers. */
export async function listLeads(
  ctx: Context,
  search: LeadSearch,
  orderBy: LeadOrder,
  page: PageArgs,
): Promise<Connection<Lead>> {
  if (search.ownerId != null && !isId(search.ownerId)) return connect<Lead>([], page, () => []);
  const [column, read] = orderBy === 'SCORE' ? (['score', asWhole] as const) : (['createdAt', asInstant] as const);
  const place = placeAfter<number | Date>(page, read);
  const pattern = search.text == null ? null : { $ilike: anywhere(search.text, MIN_SEARCH) };
  const where = [
    search.status?.length ? { status: { $in: search.status } } : {},
    search.ownerId ? { ownerId: search.ownerId } : {},
    pattern
      ? {
          $or: [
            { number: pattern },
            { name: pattern },
            { organisationName: pattern },
            { email: pattern },
            { phone: pattern },
          ],
        }
      : {},
    place ? { [column]: { $lte: place.key }, $or: [{ [column]: { $lt: place.key } }, { id: { $lt: place.id } }] } : {},
  ];
  const em = await ctx.em();
  const rows = await em.find(
    Lead,
    { $and: where },
    { orderBy: { [column]: 'desc', id: 'desc' }, limit: page.first + 1 },
  );
  return connect(rows, page, (lead) => [orderBy === 'SCORE' ? lead.score : lead.createdAt.toISOString(), lead.id]);
}

/** Writes down someone who might buy: the first link of a chain. */
export function captureLead(ctx: Context, { idempotencyKey, ...typed }: NewLead): Promise<Lead> {
  return ctx.tx(async (em) => {
    const id = await once(ctx, em, { door: 'captureLead', key: idempotencyKey, request: typed }, async () => {
      const home = await tenantProfile(em);
      const fields = rules.checkLead(typed, home.country);
      const now = ctx.now();
      const own = { id: uuidv7(), chainId: uuidv7(), status: 'NEW', disqualifiedFor: null } as const;
      const stamps = { version: 1, createdAt: now, updatedAt: now, createdById: ctx.actorId };
      const number = await nextNumber(em, 'lead', 'L');
      em.persist(em.create(Lead, { ...fields, ...own, ...stamps, ...scored(ctx, fields, now, home), number }));
      await em.flush();
      emit(em, 'crm.lead.captured', { leadId: own.id, number, chainId: own.chainId, source: fields.source });
      return own.id;
    });
    return em.findOneOrFail(Lead, { id });
  });
}

/** Changes what is known of a lead and scores it anew. Throws CONFLICT when it was changed since it was read. */
export function updateLead(ctx: Context, { leadId, expectedVersion, ...said }: LeadChanges): Promise<Lead> {
  return ctx.tx(async (em) => {
    const lead = await change(ctx, em, { leadId, expectedVersion });
    const home = await tenantProfile(em);
    const fields = rules.checkLead(rules.changedLead(lead, said), home.country);
    const { grade } = lead;
    Object.assign(lead, fields, scored(ctx, fields, lead.createdAt, home));
    if (lead.grade !== grade) emit(em, 'crm.lead.graded', { ...named(lead), score: lead.score, grade: lead.grade });
    return lead;
  });
}

/** Says that somebody has spoken with them. */
export function advanceLead(ctx: Context, move: LeadMove): Promise<Lead> {
  return ctx.tx(async (em) => {
    const lead = await change(ctx, em, move);
    lead.status = rules.contacted(lead.status);
    return lead;
  });
}

/** Says that they are worth an offer. */
export function qualifyLead(ctx: Context, move: LeadMove): Promise<Lead> {
  return ctx.tx(async (em) => {
    const lead = await change(ctx, em, move);
    lead.status = rules.advance(lead.status, 'QUALIFIED');
    emit(em, 'crm.lead.qualified', named(lead));
    return lead;
  });
}

/** Gives a lead up, with the reason. */
export function disqualifyLead(
  ctx: Context,
  { reason, ...move }: LeadMove & { reason: rules.LostReason },
): Promise<Lead> {
  return ctx.tx(async (em) => {
    const lead = await change(ctx, em, move);
    lead.status = rules.advance(lead.status, 'DISQUALIFIED');
    lead.disqualifiedFor = reason;
    emit(em, 'crm.lead.disqualified', { ...named(lead), reason });
    return lead;
  });
}

/** Takes up a lead that was given up. */
export function reopenLead(ctx: Context, move: LeadMove): Promise<Lead> {
  return ctx.tx(async (em) => {
    const lead = await change(ctx, em, move);
    lead.status = rules.reopened(lead.status);
    lead.disqualifiedFor = null;
    return lead;
  });
}

/** The lead, locked, at the version its reader saw; whatever follows makes the next one. */
async function change(ctx: Context, em: EntityManager, { leadId, expectedVersion }: LeadMove): Promise<Lead> {
  const lead = await lockOrRefuse(em, Lead, leadId, 'lead');
  expectVersion(lead.version, expectedVersion, 'lead');
  lead.version += 1;
  lead.updatedAt = ctx.now();
  return lead;
}

const scored = (ctx: Context, fields: rules.LeadFields, capturedAt: Date, home: TenantProfile) =>
  scoreOf(rules.factsOf(fields, capturedAt, ctx.now(), localDate(ctx.now(), home.zone)));

const named = (lead: Lead) => ({ leadId: lead.id, number: lead.number, chainId: lead.chainId });
