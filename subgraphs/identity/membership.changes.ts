import { asWhole, keyAfter } from '../../schema/cursor.ts';
import type { EventName, LoggedEvent } from '../../schema/events.ts';
import { encodeCursor } from '../../schema/page.ts';
import type { Context } from '../_kernel/context.ts';
import { logHead, readLog } from '../_kernel/events.ts';
import { follow } from '../_kernel/live.ts';
import { Membership, type MemberUpdate } from './membership.entity.ts';

const CHANGES = [
  'identity.membership.activated',
  'identity.membership.changed',
  'identity.membership.suspended',
  'identity.membership.frozen',
  'identity.membership.restored',
  'identity.membership.ended',
  'identity.permission.granted',
  'identity.permission.revoked',
  'identity.permission.lapsed',
] as const satisfies EventName[];

/** The membership an event is about; an answer to a provisioning run that had made none names none. */
const memberOf = ({ name, payload }: LoggedEvent): string[] =>
  (CHANGES as readonly string[]).includes(name) && 'membershipId' in payload && payload.membershipId
    ? [payload.membershipId]
    : [];

/** Events a stream catches up on; who is further behind begins anew, and reads the list of members again. */
const MAX_MISSED = 1_000;

/** Each change of a member of the caller's tenant, from now on or from a cursor on. */
export function memberUpdates(ctx: Context, after: string | null): AsyncGenerator<MemberUpdate> {
  const seen = keyAfter({ after }, asWhole);

  const told = async (events: readonly LoggedEvent[], reader: Context): Promise<MemberUpdate[]> => {
    const ids = events.flatMap(memberOf);
    if (ids.length === 0) return [];
    const found = await (await reader.em()).find(Membership, { id: { $in: ids } });
    const members = new Map(found.map((member) => [member.id, member]));
    return events.flatMap((event) => {
      const member = members.get(memberOf(event)[0] ?? '');
      return member ? [{ member, at: event.at, cursor: encodeCursor([event.seq]) }] : [];
    });
  };

  return follow(
    ctx,
    async (reader) => {
      const em = await reader.em();
      const head = await logHead(em);
      const missed = seen === null ? [] : await readLog(em, seen, MAX_MISSED + 1);
      if (missed.length === 0 || missed.length > MAX_MISSED) return { upTo: head, first: [] };
      return { upTo: missed.at(-1)?.seq ?? head, first: await told(missed, reader) };
    },
    told,
  );
}
