import { randomUUID } from 'node:crypto';
import { Pool } from 'undici';

/** What portals know of the tenant they show. */
export interface Known {
  token: string;
  tickets: readonly { id: string; number: string }[];
}

interface Asked {
  query: string;
  variables?: Record<string, unknown>;
  /** Whether the answer is the right one. */
  isRight(data: never): boolean;
}

const pick = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)] as T;

const PAGE = 25;
type Nodes = { nodes: Record<string, unknown>[] };

/** One screen each: its share of a hundred, and what it asks. */
const MIX: { share: number; ask: (known: Known) => Asked }[] = [
  {
    share: 25,
    ask: () => ({
      query: `query Customers { customers(first: ${PAGE}) { nodes { id number name balance { amountMinor currency } services(first: 3) { nodes { number plan { code } } } openTicketCount contacts { displayName } } pageInfo { hasNextPage endCursor } } }`,
      isRight: ({ customers }: { customers: Nodes }) =>
        customers.nodes.length === PAGE &&
        customers.nodes.every(
          (node) =>
            node.balance !== null &&
            node.services !== null &&
            Array.isArray(node.contacts) &&
            node.openTicketCount !== null,
        ),
    }),
  },
  {
    share: 20,
    ask: () => ({
      query: `query Tickets { tickets(first: ${PAGE}) { nodes { id number subject status priority customer { id name } } pageInfo { hasNextPage endCursor } } }`,
      isRight: ({ tickets }: { tickets: Nodes }) =>
        tickets.nodes.length === PAGE && tickets.nodes.every((node) => 'number' in node && node.customer !== undefined),
    }),
  },
  {
    share: 15,
    ask: ({ tickets }) => {
      const { number } = pick(tickets);
      return {
        query:
          'query Ticket($number: String!) { ticket(number: $number) { number subject status customer { name balance { amountMinor } } messages(first: 10) { nodes { author bodyText createdAt } } } }',
        variables: { number },
        isRight: ({ ticket }: { ticket: { number: string; messages: Nodes } }) =>
          ticket.number === number && ticket.messages.nodes.length > 0,
      };
    },
  },
  {
    share: 15,
    ask: () => ({
      query:
        'query License { tenant { slug name } license { state version planVersion { plan { code } } enabledFeatures limits { key used limit } } }',
      isRight: ({ tenant, license }: { tenant: { slug: string }; license: { state: string; limits: unknown[] } }) =>
        tenant.slug === 'northwind' && license.state === 'ACTIVE' && license.limits.length > 0,
    }),
  },
  {
    share: 15,
    ask: () => ({
      query: `query Leads { leads(first: ${PAGE}) { nodes { id number name status score grade } pageInfo { hasNextPage endCursor } } }`,
      isRight: ({ leads }: { leads: Nodes }) => leads.nodes.length === PAGE,
    }),
  },
  {
    share: 10,
    ask: ({ tickets }) => {
      const { id, number } = pick(tickets);
      return {
        query:
          'mutation PostMessage($input: PostMessageInput!) { postMessage(input: $input) { ticket { number } userErrors { message } } }',
        variables: {
          input: {
            ticketId: id,
            visibility: 'INTERNAL',
            bodyText: 'Called; line is up.',
            idempotencyKey: randomUUID(),
          },
        },
        isRight: ({ postMessage }: { postMessage: { ticket: { number: string } | null } }) =>
          postMessage.ticket?.number === number,
      };
    },
  },
];
const DECK = MIX.flatMap(({ share, ask }) => Array.from({ length: share }, () => ask));

/** What says that there was too much to do, and not that something is wrong. */
const TOO_MUCH = ['OVERLOADED', 'SUBGRAPH_TIMEOUT', 'SUBGRAPH_UNAVAILABLE'];

export interface Measured {
  requests: number;
  seconds: number;
  /** How long each took that was answered, milliseconds. */
  tookMs: number[];
  /** How many were told that too much goes on. */
  refused: number;
}

/** Clients of one gateway who ask the mix. Throws at the first answer that is not the right one. */
export class Portals {
  private readonly pool: Pool;
  private readonly known: Known;

  constructor(origin: string, known: Known, connections: number) {
    this.pool = new Pool(origin, { connections, pipelining: 1 });
    this.known = known;
  }

  /** @param count how many clients ask again as soon as they are answered, until `isOver`. */
  async closedLoop(count: number, isOver: (requests: number) => boolean): Promise<Measured> {
    const tookMs: number[] = [];
    let refused = 0;
    const startedAt = performance.now();
    const client = async () => {
      while (!isOver(tookMs.length + refused)) {
        const askedAt = performance.now();
        if (await this.ask()) tookMs.push(performance.now() - askedAt);
        else refused += 1;
      }
    };
    await Promise.all(Array.from({ length: count }, client));
    return { requests: tookMs.length, seconds: (performance.now() - startedAt) / 1_000, tookMs, refused };
  }

  /** Asks at a rate, whatever the answers do; a request's time runs from when it was due. */
  async openLoop(perSecond: number, seconds: number): Promise<Measured> {
    const tookMs: number[] = [];
    let refused = 0;
    const asked: Promise<void>[] = [];
    const startedAt = performance.now();
    for (let i = 0; i < perSecond * seconds; i++) {
      const dueAt = startedAt + (i * 1_000) / perSecond;
      const waitMs = dueAt - performance.now();
      if (waitMs > 0) await new Promise((done) => setTimeout(done, waitMs));
      asked.push(
        this.ask().then((isAnswered) => {
          if (isAnswered) tookMs.push(performance.now() - dueAt);
          else refused += 1;
        }),
      );
    }
    await Promise.all(asked);
    return { requests: tookMs.length, seconds: (performance.now() - startedAt) / 1_000, tookMs, refused };
  }

  /** Whether it was answered, and not refused because too much goes on. */
  private async ask(): Promise<boolean> {
    const { query, variables, isRight } = pick(DECK)(this.known);
    const { statusCode, body } = await this.pool.request({
      method: 'POST',
      path: '/graphql',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.known.token}` },
      body: JSON.stringify({ query, variables }),
    });
    const text = await body.text();
    const { data, errors } = JSON.parse(text) as { data: never; errors?: { extensions: { code: string } }[] };
    if (errors?.every(({ extensions }) => TOO_MUCH.includes(extensions.code))) return false;
    if (statusCode !== 200 || errors || !isRight(data))
      throw new Error(
        `A wrong answer to ${query.slice(0, 60)}…: ${statusCode} ${JSON.stringify(errors)} ${text.slice(0, 500)}`,
      );
    return true;
  }

  close(): Promise<void> {
    return this.pool.close();
  }
}
