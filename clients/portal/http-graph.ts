import type { Answer, GraphClient, Variables } from './graph-client.ts';

export interface HttpGraphOptions {
  url: string;
  /** An access token that is good for a while yet; undefined for who has not signed in. */
  token(): Promise<string | undefined>;
  /** A line on which nothing is heard for so long is dead, milliseconds; the gateway's heart beats every 10 s. */
  silenceMs?: number;
}

const SILENCE_MS = 25_000;

/** The graph over plain HTTP, its subscriptions as server-sent events: nothing but `fetch`, in browsers and in Node. */
export function httpGraph({ url, token, silenceMs = SILENCE_MS }: HttpGraphOptions): GraphClient {
  const post = async (accept: string, query: string, variables: Variables, signal: AbortSignal) => {
    const bearer = await token();
    return fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept, ...(bearer ? { authorization: `Bearer ${bearer}` } : {}) },
      body: JSON.stringify({ query, variables }),
      signal,
    });
  };
  return {
    async ask(document, variables, signal) {
      const patience = AbortSignal.timeout(silenceMs);
      const until = signal ? AbortSignal.any([signal, patience]) : patience;
      return answerOf(await post('application/json', String(document), variables, until));
    },
    async *follow(document, variables, signal) {
      const line = watch(silenceMs);
      try {
        const until = AbortSignal.any([signal, line.signal]);
        const response = await post('text/event-stream', String(document), variables, until);
        if (!response.headers.get('content-type')?.startsWith('text/event-stream')) yield await answerOf(response);
        else if (response.body) yield* events(response.body, line.heard);
      } finally {
        line.end();
      }
    },
  };
}

async function answerOf<T>(response: Response): Promise<Answer<T>> {
  try {
    return (await response.json()) as Answer<T>;
  } catch {
    throw new Error(`The graph answered with status ${response.status} and no JSON.`);
  }
}

/** Aborts its signal when nothing is heard for `silenceMs`. */
function watch(silenceMs: number): { signal: AbortSignal; heard(): void; end(): void } {
  const silence = new AbortController();
  const wait = () => setTimeout(() => silence.abort(new Error('Nothing was heard any more.')), silenceMs);
  let timer = wait();
  return {
    signal: silence.signal,
    heard() {
      clearTimeout(timer);
      timer = wait();
    },
    end: () => clearTimeout(timer),
  };
}

/** The answers in a stream of the GraphQL over SSE protocol, until it says that it is complete. */
async function* events<T>(body: ReadableStream<Uint8Array>, heard: () => void): AsyncGenerator<Answer<T>> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) throw new Error('The line was cut.');
      heard();
      text += decoder.decode(value, { stream: true });
      const whole = text.split('\n\n');
      text = whole.pop() ?? '';
      for (const event of whole) {
        if (event.startsWith('event: complete')) return;
        const data = /^data: (.*)$/m.exec(event)?.[1];
        if (data) yield JSON.parse(data);
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
