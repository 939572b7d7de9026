import { randomUUID } from 'node:crypto';
import type { FanOut } from '../subgraphs/_kernel/fan-out.ts';
import type { Logger } from '../subgraphs/_kernel/telemetry.ts';
import { type Ask, confirmGrants } from './ask.ts';
import { Hangings } from './hangings.ts';
import { HeldCopies } from './held-copies.ts';

/** What identity says of a session: whose it is, where, and with which rights. */
export interface Grant {
  sessionId: string;
  state: 'ACTIVE' | 'ENDED';
  endReason: string | null;
  userId: string;
  membershipId: string | null;
  membershipVersion: number | null;
  membershipState: string | null;
  tenantId: string | null;
  kind: string | null;
  customerId: string | null;
  catalogue: string;
  bits: string;
  strongAt: number | null;
  proofs: string[];
  provedMail: string | null;
  mustDo: string[];
  operatorId: string | null;
  mode: 'READ' | 'ACT' | null;
  /** Subjects of the feed that change it beside its own. */
  hangsOn: string[];
}

const GRANT =
  '{ sessionId state endReason userId membershipId membershipVersion membershipState tenantId kind customerId catalogue bits strongAt proofs provedMail mustDo operatorId mode hangsOn }';
/** Known sessions go on this long while identity is away, milliseconds: the life of a token. */
const PATIENCE_MS = 300_000;
/** What the feed calls the keys tokens are signed with. */
const TOKEN_KEYS = 'token_keys:all';
/** What sessions are of, or hang on. */
const KINDS = ['session', 'membership', 'portal'];
const MAX_HELD = 100_000;

/**
 * Holds who may what by session, live by identity's feed.
 * @param renewKeys fetches the keys tokens are signed with: when they changed, and when the feed is begun anew, for nobody
 *   knows then what was before.
 */
export function holdGrants(
  ask: Ask,
  fanOut: FanOut,
  log: Logger,
  renewKeys: () => Promise<void>,
  now?: () => number,
): HeldCopies<Grant> {
  const nodeId = randomUUID();
  const hangings = new Hangings();
  return new HeldCopies<Grant>(
    {
      feed: 'grants',
      async load(ids) {
        const { grants } = await ask<{ grants: Grant[] }>(
          'identity',
          `query($ids: [ID!]!) { grants(sessionIds: $ids) ${GRANT} }`,
          { ids },
        );
        for (const { hangsOn, sessionId } of grants) for (const subject of hangsOn) hangings.add(subject, sessionId);
        return new Map(grants.map((grant) => [grant.sessionId, grant]));
      },
      dropped: (sessionId, { hangsOn }) => {
        for (const subject of hangsOn) hangings.remove(subject, sessionId);
      },
      async readFeed(afterSeq, first) {
        const { grantFeed } = await ask<{ grantFeed: { head: number; subjects: string[] } }>(
          'identity',
          'query($afterSeq: Int!, $first: Int!) { grantFeed(afterSeq: $afterSeq, first: $first) { head subjects } }',
          { afterSeq, first },
        );
        if (first === 0 || grantFeed.subjects.includes(TOKEN_KEYS)) await renewKeys();
        const subjects = grantFeed.subjects.filter((subject) => KINDS.includes(kindOf(subject)));
        const stopped = subjects.flatMap((subject) => [
          ...(kindOf(subject) === 'session' ? [subject.slice('session:'.length)] : []),
          ...hangings.of(subject),
        ]);
        return {
          head: grantFeed.head,
          changed: stopped.map((id) => [id, undefined] as const),
          mayConcernLoading: subjects.length > 0,
        };
      },
      confirm: (seq) => confirmGrants(ask, nodeId, seq),
      patienceMs: PATIENCE_MS,
      maxHeld: MAX_HELD,
    },
    fanOut,
    log,
    now,
  );
}

const kindOf = (subject: string) => subject.slice(0, subject.indexOf(':'));
