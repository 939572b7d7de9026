import { badInput, type ClientError, Refusal } from '../../../schema/errors.ts';
import type { QuotaKey } from '../../../schema/features.ts';
import type { Context } from '../../_kernel/context.ts';
import { type Asked, consumeEach, type Outcome, releaseReported } from '../../_kernel/quota.ts';
import type { UsageEventInput, UsageEventOutcome, UsageEventResult } from './usage-record.entity.ts';
import { checkKey, checkOccurredAt } from './usage-record.rules.ts';

/** Events told at once at most. */
const MAX_EVENTS = 500;

export interface UsageInput {
  key: QuotaKey;
  amount: bigint;
  idempotencyKey: string;
}

/**
 * Takes units of a quota for what lives outside: an installation, a partner's system. Counts once per key; asked again,
 * it gives the first answer. Throws QUOTA_EXCEEDED, refuses INVALID for an amount of 0, IDEMPOTENCY_MISMATCH.
 */
export function consumeUsage(ctx: Context, { key, amount, idempotencyKey }: UsageInput): Promise<Outcome> {
  checkKey(idempotencyKey, 'idempotencyKey');
  return ctx.tx(async (em) => {
    const [verdict] = await consumeEach(ctx, em, [{ key, amount, onceKey: `use:${idempotencyKey}` }], OUTSIDE);
    if (verdict instanceof Error) throw verdict;
    return verdict as Outcome;
  });
}
const OUTSIDE = { isReported: true };

/** Gives units back that were taken here, once per key. Refuses CONFLICT for more than were taken. */
export function releaseUsage(ctx: Context, { key, amount, idempotencyKey }: UsageInput): Promise<Outcome> {
  checkKey(idempotencyKey, 'idempotencyKey');
  return ctx.tx((em) => releaseReported(ctx, em, { key, amount, onceKey: `release:${idempotencyKey}` }));
}

/**
 * Counts what happened elsewhere, once per event id, each event with an answer of its own. One that is too old, too far
 * ahead or over the limit does not keep the others from counting. Throws BAD_USER_INPUT for more than 500.
 */
export function recordUsageEvents(ctx: Context, events: readonly UsageEventInput[]): Promise<UsageEventResult[]> {
  if (events.length > MAX_EVENTS) throw badInput(`At most ${MAX_EVENTS} events at once.`);
  return ctx.tx(async (em) => {
    const read = events.map((event) => ({ event, asked: askedOf(event, ctx.now()) }));
    const valid = read.flatMap(({ asked }) => (asked instanceof Refusal ? [] : [asked]));
    const verdicts = await consumeEach(ctx, em, valid, OUTSIDE);
    return read.map(({ event: { eventId }, asked }) => ({
      eventId,
      ...said(asked instanceof Refusal ? asked : (verdicts[valid.indexOf(asked)] as Outcome)),
    }));
  });
}

function askedOf({ eventId, key, amount, occurredAt }: UsageEventInput, now: Date): Asked | Refusal {
  try {
    checkKey(eventId, 'eventId');
    checkOccurredAt(occurredAt, now);
    return { key, amount, onceKey: `event:${eventId}` };
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

function said(verdict: Outcome | Refusal | ClientError): Omit<UsageEventResult, 'eventId'> {
  if (verdict instanceof Error) return { outcome: verdict.code as UsageEventOutcome, message: verdict.message };
  return { outcome: verdict.isRepeated ? 'REPEATED' : 'COUNTED', message: null };
}
