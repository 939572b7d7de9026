import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { RequiresFeature } from '../../../schema/directives.ts';
import type { LoggedEvent } from '../../../schema/events.ts';
import { isId } from '../../../schema/ids.ts';
import { encodeCursor } from '../../../schema/page.ts';
import type { Context } from '../../_kernel/context.ts';
import { follow } from '../../_kernel/live.ts';
import { eventsSince, type Progress, progressFrom } from '../../_kernel/progress.ts';
import { ContactLink } from './contact.entity.ts';

type ContactChangeKind = 'SNAPSHOT' | 'LINKED' | 'UNLINKED' | 'CHANGED';
const ContactChangeKindEnum = {
  SNAPSHOT: 'SNAPSHOT',
  LINKED: 'LINKED',
  UNLINKED: 'UNLINKED',
  CHANGED: 'CHANGED',
} as const;
registerEnumType(ContactChangeKindEnum, {
  name: 'ContactChangeKind',
  valuesConfig: {
    SNAPSHOT: { description: 'What there is as the stream begins; for all customers read it in `contacts`.' },
  },
});

@ObjectType({ description: 'News of a contact.' })
@RequiresFeature('crm')
export class ContactChange {
  @Field(() => String, { description: 'Say it as `after` to go on from here.' }) cursor!: string;
  @Field(() => ContactChangeKindEnum) kind!: ContactChangeKind;
  @Field(() => ID, { nullable: true, description: 'The customer it is about, if it is about one.' }) customerId?:
    | string
    | null;
  contactId?: string | null;
}

const KINDS = {
  'crm.contact.linked': 'LINKED',
  'crm.contact.unlinked': 'UNLINKED',
  'crm.contact.changed': 'CHANGED',
} as const;

const isNews = (event: LoggedEvent): event is LoggedEvent<keyof typeof KINDS> => Object.hasOwn(KINDS, event.name);

/**
 * The contacts behind a customer as they are, then each change in the order of the log. Over all customers it begins
 * with one empty snapshot: whoever then reads `contacts` and applies what follows has missed nothing.
 */
export function contactChanges(
  ctx: Context,
  customerId: string | null,
  after: string | null,
): AsyncGenerator<ContactChange> {
  const progress = progressFrom(after);
  const tell = (events: LoggedEvent[]): ContactChange[] => {
    progress.at = events.at(-1)?.seq ?? progress.at;
    return events
      .filter(isNews)
      .filter(({ payload }) => customerId === null || payload.customerId === customerId)
      .map(({ seq, name, payload }) => ({
        cursor: encodeCursor([seq]),
        kind: KINDS[name],
        customerId: payload.customerId,
        contactId: payload.contactId,
      }));
  };
  return follow(
    ctx,
    async (reader) => {
      const { head, missed } = await eventsSince(reader, progress);
      const first = missed ? tell(missed) : await snapshot(reader, customerId, head, progress);
      return { upTo: head, first };
    },
    tell,
  );
}

/** Only the last entry has a cursor to go on from: whoever loses the stream before it begins anew. */
async function snapshot(
  reader: Context,
  customerId: string | null,
  head: number,
  progress: Progress,
): Promise<ContactChange[]> {
  const em = await reader.em();
  const isOne = customerId !== null && isId(customerId);
  const links = isOne
    ? await em.find(ContactLink, { customerId, until: null }, { orderBy: { since: 'asc', id: 'asc' } })
    : [];
  const contactIds = [...new Set(links.map((link) => link.contactId))];
  progress.at = head;
  return (contactIds.length > 0 ? contactIds : [null]).map((contactId, i) => ({
    cursor: encodeCursor([i < contactIds.length - 1 ? 0 : head]),
    kind: 'SNAPSHOT' as const,
    customerId,
    contactId,
  }));
}
