import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { RequiresFeature } from '../../../schema/directives.ts';
import type { EventName, LoggedEvent } from '../../../schema/events.ts';
import { encodeCursor } from '../../../schema/page.ts';
import type { Context } from '../../_kernel/context.ts';
import { follow } from '../../_kernel/live.ts';
import { eventsSince, progressFrom } from '../../_kernel/progress.ts';

const TicketChangeKindEnum = {
  SNAPSHOT: 'SNAPSHOT',
  OPENED: 'OPENED',
  MESSAGE_POSTED: 'MESSAGE_POSTED',
  ASSIGNED: 'ASSIGNED',
  STATUS_CHANGED: 'STATUS_CHANGED',
  PRIORITY_CHANGED: 'PRIORITY_CHANGED',
} as const;
type TicketChangeKind = keyof typeof TicketChangeKindEnum;
registerEnumType(TicketChangeKindEnum, {
  name: 'TicketChangeKind',
  valuesConfig: { SNAPSHOT: { description: 'The ticket as the stream begins.' } },
});

@ObjectType({ description: 'News of a ticket.' })
@RequiresFeature('tickets')
export class TicketUpdate {
  @Field(() => String, { description: 'Say it as `after` to go on from here.' }) cursor!: string;
  @Field(() => [TicketChangeKindEnum], { description: 'What happened, each kind once.' }) changes!: TicketChangeKind[];
  ticketId!: string;
}

const KINDS: Partial<Record<EventName, TicketChangeKind>> = {
  'tickets.ticket.opened': 'OPENED',
  'tickets.message.posted': 'MESSAGE_POSTED',
  'tickets.ticket.assigned': 'ASSIGNED',
  'tickets.ticket.status_changed': 'STATUS_CHANGED',
  'tickets.ticket.priority_changed': 'PRIORITY_CHANGED',
};

/** The ticket as it is, then one update for each batch of news about it. */
export function ticketUpdates(ctx: Context, ticketId: string, after: string | null): AsyncGenerator<TicketUpdate> {
  const progress = progressFrom(after);
  const tell = (events: LoggedEvent[]): TicketUpdate[] => {
    progress.at = events.at(-1)?.seq ?? progress.at;
    const changes = new Set<TicketChangeKind>();
    for (const { name, payload } of events) {
      const kind = KINDS[name];
      if (kind && 'ticketId' in payload && payload.ticketId === ticketId) changes.add(kind);
    }
    return changes.size > 0 ? [{ cursor: encodeCursor([progress.at]), changes: [...changes], ticketId }] : [];
  };
  return follow(
    ctx,
    async (reader) => {
      const { head, missed } = await eventsSince(reader, progress);
      if (missed) return { upTo: head, first: tell(missed) };
      progress.at = head;
      return { upTo: head, first: [{ cursor: encodeCursor([head]), changes: ['SNAPSHOT'], ticketId }] };
    },
    tell,
  );
}
