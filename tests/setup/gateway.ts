import { once } from 'node:events';
import { type Client, createClient, type ExecutionResult } from 'graphql-ws';
import WebSocket from 'ws';
import { localSubgraph } from '../../gateway/data-sources.ts';
import { type Gateway, startGateway } from '../../gateway/start.ts';
import { createLog } from '../../subgraphs/_kernel/telemetry.ts';
import { answerFor } from './codes.ts';
import type { TypedDocumentString } from './graphql/graphql.ts';
import { type LogTarget, openWorld, type World } from './world.ts';

export interface GraphError {
  message: string;
  path?: (string | number)[];
  extensions: { code: string; [key: string]: unknown };
}

export interface Response<T> {
  status: number;
  headers: Headers;
  data?: T | null;
  errors?: GraphError[];
}

/** Somebody signed in at a gateway, with the clients a frontend team would use. */
export interface Person {
  token: string;
  refreshToken: string;
  ask<T, V>(document: TypedDocumentString<T, V> | string, variables?: V): Promise<Response<T>>;
  /** Follows a subscription with the `graphql-ws` client: its results in order, and how to stop. */
  follow<T, V>(document: TypedDocumentString<T, V> | string, variables?: V): Following<T>;
}

export interface Following<T> {
  /** The next result; rejects without one in that time, a quarter of a minute by default. */
  next(patienceMs?: number): Promise<ExecutionResult<T> & { errors?: readonly GraphError[] }>;
  /** Resolves when the server completes the stream. */
  done: Promise<void>;
  stop(): Promise<void>;
}

/** Longer than anything takes that is told, on a busy machine too, milliseconds. */
const PATIENCE_MS = 15_000;

const SIGN_IN_ANSWER = '{ session { accessToken refreshToken } challenge { token } userErrors { message } }';

interface SignInAnswer {
  session: { accessToken: string; refreshToken: string } | null;
  challenge: { token: string } | null;
  userErrors: { message: string }[];
}

/** A gateway at a port, as its clients know it. */
export class GatewayClient {
  readonly url: string;
  private readonly databaseUrl: string | undefined;
  private readonly sockets: Client[] = [];

  /** @param databaseUrl the database behind it, where codes are used. */
  constructor(port: number, databaseUrl?: string) {
    this.url = `http://127.0.0.1:${port}/graphql`;
    this.databaseUrl = databaseUrl;
  }

  async post<T = Record<string, unknown>, V = Record<string, unknown>>(
    document: TypedDocumentString<T, V> | string,
    variables?: V,
    token?: string,
    headers: Record<string, string> = {},
  ): Promise<Response<T>> {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...headers,
      },
      body: JSON.stringify({ query: String(document), variables }),
    });
    return {
      status: response.status,
      headers: response.headers,
      ...((await response.json()) as Omit<Response<T>, 'status' | 'headers'>),
    };
  }

  /** Signs in somebody of the example world, with a code where one is asked for, and hands over their clients. */
  async signIn(email: string, password: string, options: { realm?: string; tenant?: string } = {}): Promise<Person> {
    const input = { email, password, transport: 'BODY', ...options };
    const first = await this.post<{ signIn: SignInAnswer }>(
      `mutation($input: SignInInput!) { signIn(input: $input) ${SIGN_IN_ANSWER} }`,
      { input },
    );
    const challenge = first.data?.signIn.challenge;
    const second =
      challenge && (await this.answer(challenge.token, await answerFor(email, password, this.databaseUrl)));
    const session = (second ?? first.data?.signIn)?.session;
    if (!session) throw new Error(`${email} could not sign in: ${JSON.stringify(second ?? first)}`);
    return this.as(session.accessToken, session.refreshToken);
  }

  private async answer(token: string, code: string): Promise<SignInAnswer | undefined> {
    const { data } = await this.post<{ answerChallenge: SignInAnswer }>(
      `mutation($input: AnswerChallengeInput!) { answerChallenge(input: $input) ${SIGN_IN_ANSWER} }`,
      { input: { token, code } },
    );
    return data?.answerChallenge;
  }

  as(token: string, refreshToken = ''): Person {
    return {
      token,
      refreshToken,
      ask: (document, variables) => this.post(document, variables, token),
      follow: (document, variables) =>
        this.follow(token, String(document), variables as Record<string, unknown> | undefined),
    };
  }

  follow<T>(token: string | undefined, query: string, variables?: Record<string, unknown>): Following<T> {
    const client = createClient({
      url: this.url.replace('http', 'ws'),
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      connectionParams: token ? { authorization: `Bearer ${token}` } : {},
    });
    this.sockets.push(client);
    const queue: ExecutionResult<T>[] = [];
    let wake: () => void = () => undefined;
    let end: (error?: unknown) => void = () => undefined;
    const done = new Promise<void>((resolve, reject) => {
      end = (error) => (error ? reject(error) : resolve());
    });
    done.catch(() => undefined);
    const stop = client.subscribe<T>(
      { query, variables },
      {
        next: (result) => {
          queue.push(result as ExecutionResult<T>);
          wake();
        },
        error: (error) => {
          end(error);
          wake();
        },
        complete: () => end(),
      },
    );
    return {
      done,
      async next(patienceMs = PATIENCE_MS) {
        const until = Date.now() + patienceMs;
        while (queue.length === 0) {
          const left = until - Date.now();
          if (left <= 0) throw new Error(`No result came within ${patienceMs} ms.`);
          await Promise.race([
            new Promise<void>((resolve) => {
              wake = resolve;
            }),
            new Promise((resolve) => setTimeout(resolve, left).unref()),
            done.then(() => (queue.length === 0 ? Promise.reject(new Error('The stream has ended.')) : undefined)),
          ]);
        }
        return queue.shift() as never;
      },
      async stop() {
        stop();
        await client.dispose();
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.sockets.map((client) => client.dispose()));
  }
}

/**
 * The whole product in this process over a database of its own: every subgraph and a gateway with real doors.
 * @param logTo where the log of all of it goes.
 */
export async function openGatewayWorld(
  env: Record<string, string> = {},
  logTo?: LogTarget,
): Promise<{ world: World; gateway: Gateway; client: GatewayClient; password: string; close(): Promise<void> }> {
  const world = await openWorld(env, logTo);
  const sources = new Map(world.serving.subgraphs.map((running) => [running.name, localSubgraph(running)]));
  const gateway = await startGateway(
    world.config,
    sources,
    world.serving.fanOut,
    createLog(world.config, 'gateway', logTo),
  );
  const client = new GatewayClient(gateway.port, world.databaseUrl);
  return {
    world,
    gateway,
    client,
    password: String(world.config.SEED_PASSWORD),
    async close() {
      await client.close();
      await gateway.stop();
      await world.close();
    },
  };
}

/** A plain socket with the sub-protocol, for what a well-behaved client never does. */
export async function rawSocket(
  url: string,
  protocol = 'graphql-transport-ws',
  headers: Record<string, string> = {},
): Promise<WebSocket> {
  const socket = new WebSocket(url.replace('http', 'ws'), protocol, { headers });
  await once(socket, 'open');
  return socket;
}
