import { type Access, type Limit, NO_LICENSE, type Told } from './verdict.ts';

export type FetchLike = typeof fetch;

/** One request takes at most this long, milliseconds. */
const TIMEOUT_MS = 10_000;
/** A stream that is silent for so long is cut: the platform gives a sign of life every 10 s. */
const SILENT_MS = 45_000;
/** Longer answers are not read, bytes. */
const MAX_BYTES = 1_048_576;

const FOLLOW = `subscription { licenseUpdated { version license { version state
  features { feature access reason } limits { key isUnlimited limit policy } } } }`;
const ISSUE = `mutation($input: IssueLicenseFileInput!) { issueLicenseFile(input: $input) { jws userErrors { message } } }`;

const isLocal = ({ hostname }: URL) => ['localhost', '127.0.0.1', '[::1]'].includes(hostname);

/** The DotMac platform, as an installation asks it. Everything here may fail; nothing here is believed unverified. */
export class Platform {
  private readonly base: URL;
  private readonly token: () => string | Promise<string>;
  private readonly fetch: FetchLike;
  private readonly etags = new Map<string, string>();
  private readonly closing = new AbortController();
  /** What is on its way. Held here: a signal that nothing but its request holds may be collected, and never fires then. */
  private readonly requests = new Set<AbortController>();

  /** Throws for an address to which a token must not be sent. */
  constructor(address: string, token: () => string | Promise<string>, fetch: FetchLike) {
    this.base = new URL(address);
    if (this.base.protocol !== 'https:' && !(this.base.protocol === 'http:' && isLocal(this.base)))
      throw new Error('The address of the platform begins with https://.');
    this.token = token;
    this.fetch = fetch;
  }

  /** Ends whatever is on its way, and begins nothing new. */
  close(): void {
    this.closing.abort();
    for (const request of this.requests) request.abort();
  }

  get closed(): AbortSignal {
    return this.closing.signal;
  }

  /** A public document; null if it is what it was the last time it was kept. */
  async document(path: string): Promise<{ text: string; keep(): void } | null> {
    const known = this.etags.get(path);
    return this.within(TIMEOUT_MS, async ({ signal }) => {
      const headers: Record<string, string> = known ? { 'if-none-match': known } : {};
      const response = await this.fetch(new URL(path, this.base), { headers, redirect: 'error', signal });
      if (response.status === 304) return null;
      if (!response.ok) throw new Error(`The platform answers ${response.status}.`);
      const etag = response.headers.get('etag');
      return { text: await textOf(response, signal), keep: () => void (etag && this.etags.set(path, etag)) };
    });
  }

  /** A new licence file. Throws the platform's sentence when it gives none. */
  async issue(input: { installationId: string | null; ttlHours: number; idempotencyKey: string }): Promise<string> {
    return this.within(TIMEOUT_MS, async ({ signal }) => {
      const response = await this.post(ISSUE, { input }, 'application/json', signal);
      const { data, errors } = JSON.parse(await textOf(response, signal));
      const issued = data?.issueLicenseFile;
      if (typeof issued?.jws === 'string') return issued.jws;
      throw new Error(
        String(issued?.userErrors?.[0]?.message ?? errors?.[0]?.message ?? 'The platform gives no file.'),
      );
    });
  }

  /**
   * Follows the licence over server-sent events until the stream ends, and throws when it cannot be reached or breaks off.
   * @param touch called whenever there is a sign of life.
   */
  async follow(hear: (told: Told) => void, touch: () => void): Promise<void> {
    return this.within(SILENT_MS, async ({ signal, alive }) => {
      const response = await this.post(FOLLOW, {}, 'text/event-stream', signal);
      if (!response.headers.get('content-type')?.startsWith('text/event-stream') || !response.body)
        throw new Error('The platform opens no stream.');
      const decoder = new TextDecoder();
      let rest = '';
      for await (const chunk of chunksOf(response, signal)) {
        alive();
        touch();
        const events = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
        rest = events.pop() ?? '';
        if (rest.length > MAX_BYTES) throw new Error('The platform says too much at once.');
        for (const event of events) {
          if (event.startsWith('event: complete')) return;
          const told = event.startsWith('event: next\ndata: ') ? toldIn(event.slice(18)) : undefined;
          if (told) hear(told);
        }
      }
    });
  }

  /** Runs one request: it ends when nothing is heard of it for so long, or with everything else. */
  private async within<T>(
    longestMs: number,
    run: (request: { signal: AbortSignal; alive: () => void }) => Promise<T>,
  ): Promise<T> {
    const request = new AbortController();
    const { signal } = request;
    let timer: NodeJS.Timeout | undefined;
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(() => request.abort(), longestMs);
      timer.unref();
    };
    alive();
    this.requests.add(request);
    if (this.closed.aborted) request.abort();
    try {
      return await run({ signal, alive });
    } finally {
      clearTimeout(timer);
      this.requests.delete(request);
    }
  }

  private async post(query: string, variables: object, accept: string, signal: AbortSignal): Promise<Response> {
    const response = await this.fetch(new URL('/graphql', this.base), {
      method: 'POST',
      headers: { accept, 'content-type': 'application/json', authorization: `Bearer ${await this.token()}` },
      body: JSON.stringify({ query, variables }),
      redirect: 'error',
      signal,
    });
    if (!response.ok) throw new Error(`The platform answers ${response.status}.`);
    return response;
  }
}

/** The body of an answer as it comes. When the signal fires it breaks off, whatever has become of the request. */
async function* chunksOf({ body }: Response, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  if (!body) return;
  const reader = body.getReader();
  const cancel = () => void reader.cancel().catch(() => undefined);
  signal.addEventListener('abort', cancel, { once: true });
  try {
    while (!signal.aborted) {
      const { done, value } = await reader.read();
      if (done) break;
      yield value;
    }
    if (signal.aborted) throw new Error('The platform is silent.');
  } finally {
    signal.removeEventListener('abort', cancel);
    cancel();
  }
}

async function textOf(response: Response, signal: AbortSignal): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunksOf(response, signal)) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new Error('The platform says too much at once.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const OPEN_STATES: readonly unknown[] = ['TRIAL', 'ACTIVE', 'GRACE'];
const ACCESS: readonly unknown[] = ['NONE', 'READ', 'FULL'];

interface License {
  version: number;
  state: string;
  features: { feature: string; access: Access; reason: string | null }[];
  limits: { key: string; isUnlimited: boolean; limit: string | null; policy: Limit['policy'] }[] | null;
}

/** What an event says of the licence; a tenant without one has its core and nothing gated. */
function toldIn(event: string): Told | undefined {
  const { data, errors } = JSON.parse(event);
  const update = data?.licenseUpdated;
  const license = update?.license as License | null | undefined;
  if (!Number.isSafeInteger(update?.version) || (!license && errors)) return undefined;
  if (!license) return { version: update.version, state: NO_LICENSE, core: 'FULL', features: {}, limits: null };
  const { version, state, features, limits } = license;
  return {
    ...{ version: Number(version), state: String(state), core: OPEN_STATES.includes(state) ? 'FULL' : 'READ' },
    // What leaves no more than reading of a feature leaves no more of the core.
    coreReason: features.find(({ access }) => access === 'READ')?.reason,
    features: Object.fromEntries(
      features.filter(({ access }) => ACCESS.includes(access)).map(({ feature, ...said }) => [feature, said]),
    ),
    limits:
      limits &&
      Object.fromEntries(
        limits.map(({ key, isUnlimited, limit, policy }) => [key, said(isUnlimited ? null : limit, policy)]),
      ),
  };
}

/** A limit as it is told: what is no amount is nothing. */
const said = (limit: string | null, policy: Limit['policy']) => ({
  limit: limit === null || /^\d{1,19}$/.test(limit) ? limit : '0',
  ...{ policy, softMarginPercent: 0, overageCap: null },
});
