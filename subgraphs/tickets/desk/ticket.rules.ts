import { Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import { emailAddress, languageTag, optionalText, text } from '../../../schema/words.ts';

export type TicketKind = 'QUESTION' | 'REQUEST' | 'INCIDENT';
export type TicketStatus = 'NEW' | 'OPEN' | 'WAITING' | 'RESOLVED' | 'CLOSED' | 'CANCELLED';
export type WaitReason = 'CUSTOMER' | 'VENDOR' | 'FIELD_VISIT' | 'SCHEDULED';
export type TicketPriority = 'LOW' | 'NORMAL' | 'HIGH' | 'URGENT';
export type TicketChannel = 'PORTAL' | 'EMAIL' | 'PHONE' | 'CHAT' | 'STAFF' | 'API' | 'SYSTEM';
export type CancelReason = 'SPAM' | 'MISTAKE';
export type MessageVisibility = 'PUBLIC' | 'INTERNAL';
export type MessageAuthor = 'CUSTOMER' | 'STAFF' | 'AUTOMATIC' | 'SYSTEM';

export const MAX_TAGS = 20;

/** What can be done with a ticket's status. */
export type TicketMove = 'TAKE_UP' | 'WAIT' | 'REOPEN' | 'RESOLVE' | 'CLOSE' | 'CANCEL';

export const MOVES: Record<TicketMove, { from: readonly TicketStatus[]; to: TicketStatus; done: string }> = {
  TAKE_UP: { from: ['NEW'], to: 'OPEN', done: 'taken up' },
  WAIT: { from: ['NEW', 'OPEN'], to: 'WAITING', done: 'made to wait' },
  REOPEN: { from: ['WAITING', 'RESOLVED'], to: 'OPEN', done: 'reopened' },
  RESOLVE: { from: ['NEW', 'OPEN', 'WAITING'], to: 'RESOLVED', done: 'resolved' },
  CLOSE: { from: ['RESOLVED'], to: 'CLOSED', done: 'closed' },
  CANCEL: { from: ['NEW', 'OPEN'], to: 'CANCELLED', done: 'cancelled' },
};

/** The status a move leads to, or INVALID_STATE where there is no such move. */
export function advance(from: TicketStatus, move: TicketMove): TicketStatus {
  if (!MOVES[move].from.includes(from))
    throw new Refusal('INVALID_STATE', `A ${from} ticket cannot be ${MOVES[move].done}.`, 'status');
  return MOVES[move].to;
}

/** Final is final: nothing about such a ticket changes any more. */
export const isFinal = (status: TicketStatus): boolean => status === 'CLOSED' || status === 'CANCELLED';

/** Refuses to change a ticket that is final. */
export function checkOpen(status: TicketStatus): void {
  if (isFinal(status)) throw new Refusal('INVALID_STATE', `A ${status} ticket does not change any more.`, 'status');
}

/** What a message does to its ticket: a move, nothing, or a new ticket that follows up on the closed one. */
export function effectOfMessage(status: TicketStatus, author: MessageAuthor): TicketMove | 'NONE' | 'FOLLOW_UP' {
  if (author === 'CUSTOMER' && status === 'CLOSED') return 'FOLLOW_UP';
  checkOpen(status);
  if (author === 'CUSTOMER' && (status === 'WAITING' || status === 'RESOLVED')) return 'REOPEN';
  if (author === 'STAFF' && status === 'NEW') return 'TAKE_UP';
  return 'NONE';
}

/** Whether a customer's word is still taken here; to a closed ticket it opens the next one. */
export const takesReply = (status: TicketStatus): boolean => status !== 'CANCELLED';

/** What a customer means by closing a ticket: that it is solved, or that they are content with the solution. */
export const moveOfCustomer = (status: TicketStatus): TicketMove => (status === 'RESOLVED' ? 'CLOSE' : 'RESOLVE');

/** What a customer sees of a status: not who or what we wait for, unless it is them. */
export type MyTicketStatus = 'OPEN' | 'WAITING_FOR_YOU' | 'RESOLVED' | 'CLOSED';

export function shownStatus(status: TicketStatus, waitReason: WaitReason | null): MyTicketStatus {
  if (isFinal(status)) return 'CLOSED';
  if (status === 'RESOLVED') return 'RESOLVED';
  return status === 'WAITING' && waitReason === 'CUSTOMER' ? 'WAITING_FOR_YOU' : 'OPEN';
}

/** Refuses a wait without its end, or with one that is past. */
export function checkWait(reason: WaitReason, until: Date | null, now: Date): void {
  if (reason === 'SCHEDULED' && !until) throw new Refusal('INVALID', 'Say until when it waits.', 'waitUntil');
  if (until && until <= now) throw new Refusal('INVALID', 'A wait ends in the future.', 'waitUntil');
}

/** Refuses an answer to something else than the last message its writer saw (R6). */
export function expectLastMessage(last: string | null, expected: string | null | undefined): void {
  if (expected != null && expected !== last)
    throw new Refusal('CONFLICT', 'There is a newer message in this ticket.', 'expectedLastMessageId');
}

/** Refuses to take a ticket away from whoever has it. */
export function checkClaim(assigneeId: string | null, userId: string): void {
  if (assigneeId !== null && assigneeId !== userId)
    throw new Refusal('INVALID_STATE', 'Someone else has this ticket already.', 'assigneeId');
}

export interface TypedRequester {
  customerId?: string | null;
  contactId?: string | null;
  email?: string | null;
  name?: string | null;
}

export interface TypedTicket {
  subject: string;
  bodyText: string;
  kind: TicketKind;
  priority: TicketPriority;
  channel: TicketChannel;
  requester: TypedRequester;
  tags?: readonly string[] | null;
  language?: string | null;
  externalRef?: string | null;
}

export interface TicketDraft {
  fields: {
    subject: string;
    kind: TicketKind;
    priority: TicketPriority;
    channel: TicketChannel;
    customerId: string | null;
    contactId: string | null;
    requesterEmail: string | null;
    requesterName: string | null;
    language: string | null;
    externalRef: string | null;
  };
  bodyText: string;
  tags: string[];
}

/** A new ticket in its stored form, or INVALID with the field. */
export function checkTicket(typed: TypedTicket): TicketDraft {
  const { requester } = typed;
  const fields = {
    subject: text(typed.subject, 200, 'subject'),
    kind: typed.kind,
    priority: typed.priority,
    channel: typed.channel,
    customerId: idOrNull(requester.customerId, 'requester.customerId', 'There is no such customer.'),
    contactId: idOrNull(requester.contactId, 'requester.contactId', 'There is no such contact.'),
    requesterEmail: emailOrNull(requester.email),
    requesterName: optionalText(requester.name, 200, 'requester.name'),
    language: languageTag(typed.language),
    externalRef: optionalText(typed.externalRef, 100, 'externalRef'),
  };
  if (!fields.requesterName && !fields.customerId)
    throw new Refusal('INVALID', 'Say who asks: a customer, or a name.', 'requester.name');
  return { fields, bodyText: checkBody(typed.bodyText), tags: checkTags(typed.tags ?? []) };
}

/** The text of a message, or INVALID. */
export const checkBody = (typed: string): string => text(typed, 100_000, 'bodyText');

/** Channels staff can name; a portal customer's and the system's own are not theirs to claim. */
export function checkStaffChannel(channel: TicketChannel): void {
  if (channel === 'PORTAL' || channel === 'SYSTEM')
    throw new Refusal('INVALID', 'Staff takes tickets by telephone, e-mail or chat.', 'channel');
}

/** Whose words a ticket begins with: the requester's, also when staff wrote them down. */
export function authorOfOpening(channel: TicketChannel): MessageAuthor {
  if (channel === 'STAFF') return 'STAFF';
  return channel === 'SYSTEM' ? 'SYSTEM' : 'CUSTOMER';
}

function checkTags(typed: readonly string[]): string[] {
  if (typed.length > MAX_TAGS) throw new Refusal('LIMIT_REACHED', `A ticket has at most ${MAX_TAGS} tags.`, 'tags');
  typed.forEach((tag, i) => {
    if (!/^[a-z0-9-]{1,40}$/.test(tag))
      throw new Refusal('INVALID', 'A tag has 1 to 40 small letters, digits and hyphens.', `tags.${i}`);
  });
  return [...new Set(typed)];
}

function idOrNull(id: string | null | undefined, field: string, sentence: string): string | null {
  if (id != null && !isId(id)) throw new Refusal('NOT_FOUND', sentence, field);
  return id ?? null;
}

function emailOrNull(typed: string | null | undefined): string | null {
  return typed == null || typed.trim() === '' ? null : emailAddress(typed, 'requester.email');
}
