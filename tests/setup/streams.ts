import type { ReadableStreamDefaultReader } from 'node:stream/web';
import WebSocket from 'ws';
import type { GraphError } from './gateway.ts';

export const DOORS = ['websocket', 'sse', 'multipart'] as const;
export type Door = (typeof DOORS)[number];

/** What one door tells of one subscription. */
export interface Followed {
  /** The next answer; rejects after a quarter of a minute without one, or when the stream has ended. */
  next<T = Record<string, never>>(): Promise<{ data?: T; errors?: GraphError[] }>;
  /** Resolves when the stream is complete, with the close code of the socket if that went with it. */
  ended: Promise<number | undefined>;
  /** Whether a heartbeat was heard yet. */
  hasBeaten(): boolean;
  /** Reads nothing any more, and then again. */
  pause(): void;
  resume(): void;
  stop(): void;
}

interface Asked {
  url: string;
  token: string;
  query: string;
  variables?: Record<string, unknown>;
}

/** Longer than anything takes that is told, on a busy machine too, milliseconds. */
const PATIENCE_MS = 15_000;

/** Follows a subscription over any door, by the bytes that come. */
export async function followOver(door: Door, asked: Asked): Promise<Followed> {
  const answers: object[] = [];
  let wake: () => void = () => undefined;
  let hasBeaten = false;
  let isOver = false;
  let finish: (code?: number) => void = () => undefined;
  const ended = new Promise<number | undefined>((resolve) => {
    finish = (code) => {
      isOver = true;
      resolve(code);
      wake();
    };
  });
  const hear = {
    answer: (body: object) => {
      answers.push(body);
      wake();
    },
    beat: () => {
      hasBeaten = true;
    },
    end: (code?: number) => finish(code),
  };
  const control = door === 'websocket' ? await overSocket(asked, hear) : await overHttp(door, asked, hear);
  return {
    ended,
    hasBeaten: () => hasBeaten,
    ...control,
    async next() {
      const until = Date.now() + PATIENCE_MS;
      while (answers.length === 0) {
        if (isOver) throw new Error('The stream has ended.');
        const left = until - Date.now();
        if (left <= 0) throw new Error(`No answer came within ${PATIENCE_MS} ms.`);
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, left);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      return answers.shift() as never;
    },
  };
}

type Control = Pick<Followed, 'stop' | 'pause' | 'resume'>;

interface Hear {
  answer(body: object): void;
  beat(): void;
  end(code?: number): void;
}

async function overSocket({ url, token, query, variables }: Asked, hear: Hear): Promise<Control> {
  const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws');
  const say = (message: object) => socket.send(JSON.stringify(message));
  socket.on('ping', hear.beat);
  socket.on('close', (code) => hear.end(code));
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('open', () => say({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
    socket.on('message', (text) => {
      const { type, payload } = JSON.parse(String(text));
      if (type === 'connection_ack') {
        say({ type: 'subscribe', id: '1', payload: { query, variables } });
        resolve({
          stop() {
            if (socket.readyState === socket.OPEN) say({ type: 'complete', id: '1' });
            socket.close();
          },
          pause: () => socket.pause(),
          resume: () => socket.resume(),
        });
      } else if (type === 'next') hear.answer(payload);
      else if (type === 'error') hear.answer({ errors: payload });
      if (type === 'complete' || type === 'error') hear.end();
    });
  });
}

const ACCEPT = { sse: 'text/event-stream', multipart: 'multipart/mixed;subscriptionSpec="1.0", application/json' };

async function overHttp(door: 'sse' | 'multipart', asked: Asked, hear: Hear): Promise<Control> {
  const abort = new AbortController();
  const response = await fetch(asked.url, {
    method: 'POST',
    signal: abort.signal,
    headers: { 'content-type': 'application/json', accept: ACCEPT[door], authorization: `Bearer ${asked.token}` },
    body: JSON.stringify({ query: asked.query, variables: asked.variables }),
  });
  if (response.headers.get('content-type')?.startsWith('application/json')) {
    hear.answer((await response.json()) as object);
    hear.end();
    return { stop: () => undefined, pause: () => undefined, resume: () => undefined };
  }
  const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  let mayRead: Promise<void> | undefined;
  let readOn: () => void = () => undefined;
  void read(
    reader,
    () => mayRead,
    door === 'sse' ? '\n\n' : '\r\n--graphql',
    (message) => {
      if (door === 'sse') tellSse(message, hear);
      else tellPart(message, hear);
    },
  ).catch(() => hear.end());
  return {
    stop: () => abort.abort(),
    pause() {
      mayRead = new Promise((resolve) => {
        readOn = resolve;
      });
    },
    resume() {
      mayRead = undefined;
      readOn();
    },
  };
}

async function read(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  mayRead: () => Promise<void> | undefined,
  delimiter: string,
  tell: (message: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    await mayRead();
    const { value, done } = await reader.read();
    text += decoder.decode(value, { stream: !done });
    const whole = delimiter === '\n\n' ? text.split(delimiter) : text.split(/(?=\r\n--graphql)/);
    text = whole.pop() ?? '';
    // A part has its delimiter in front: the last one is whole when what it holds is.
    if (delimiter !== '\n\n' && isWholePart(text)) {
      whole.push(text);
      text = '';
    }
    for (const message of whole) tell(message);
    if (done) throw new Error('The connection was closed.');
  }
}

function isWholePart(text: string): boolean {
  if (text.endsWith('--graphql--\r\n')) return true;
  try {
    JSON.parse(text.split('\r\n\r\n')[1] ?? '');
    return true;
  } catch {
    return false;
  }
}

function tellSse(message: string, hear: Hear): void {
  if (message === ':') hear.beat();
  if (message.startsWith('event: next\n')) hear.answer(JSON.parse(message.slice('event: next\ndata: '.length)));
  if (message.startsWith('event: complete')) hear.end();
}

function tellPart(message: string, hear: Hear): void {
  if (message.startsWith('\r\n--graphql--')) {
    hear.end();
    return;
  }
  const { payload, errors } = JSON.parse(message.split('\r\n\r\n')[1] ?? '{}');
  if (payload) hear.answer(payload);
  else if (errors) hear.answer({ errors });
  else hear.beat();
}
