import { dataOf, type GraphClient, GraphFault } from './graph-client.ts';
import { FollowLicenseDocument, type PortalLicenseFragment, ReadLicenseDocument } from './graphql/graphql.ts';
import { backoffMs, meaningOf } from './license-news.ts';

export type PortalLicense = PortalLicenseFragment;
export type Access = PortalLicense['features'][number]['access'];

/** LIVE: changes are heard within a second. OUT_OF_TOUCH: what is held may be old. ENDED: nothing more will come. */
export type Touch = 'CONNECTING' | 'LIVE' | 'OUT_OF_TOUCH' | 'ENDED';

/** What a portal knows of its licence; a new object with each change. */
export interface Held {
  /** Null for a tenant without a licence, and before it is known. */
  readonly license: PortalLicense | null;
  /** Everything up to it has been heard; null before anything has, 0 for a tenant without a licence. */
  readonly version: number | null;
  readonly touch: Touch;
}

/**
 * The licence of whoever is signed in, kept as it is: read by one query, followed by one subscription. After a broken
 * line it goes on behind what it has heard, and where something is missing it asks anew.
 */
export class LicenseStore {
  private readonly graph: GraphClient;
  private readonly listeners = new Set<() => void>();
  private failures = 0;
  private held: Held = { license: null, version: null, touch: 'CONNECTING' };

  constructor(graph: GraphClient) {
    this.graph = graph;
  }

  readonly getHeld = (): Held => this.held;

  /** Calls at each change, until the function it answers is called. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  /** How far a feature is open, as far as is known. */
  accessTo(feature: string): Access {
    return this.held.license?.features.find((entry) => entry.feature === feature)?.access ?? 'NONE';
  }

  /** Follows the licence until the function it answers is called. */
  start(): () => void {
    const ending = new AbortController();
    void this.run(ending.signal);
    return () => ending.abort();
  }

  /** Holds a licence that came with another answer, such as that of an upgrade, if it is newer. */
  take(license: PortalLicense): void {
    if (license.version >= (this.held.version ?? 0)) this.hold({ license, version: license.version });
  }

  private hold(change: Partial<Held>): void {
    this.held = { ...this.held, ...change };
    for (const listener of [...this.listeners]) listener();
  }

  private async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      const comeBack = await this.follow(signal);
      if (signal.aborted) return;
      if (comeBack === 'NEVER') return this.hold({ touch: 'ENDED' });
      if (comeBack === 'AT_ONCE') continue;
      this.hold({ touch: 'OUT_OF_TOUCH' });
      await wait(backoffMs(this.failures++, Math.random()), signal);
    }
  }

  /** Hears the stream while it lasts, behind what has been heard; answers when to come back. */
  private async follow(signal: AbortSignal): Promise<'AT_ONCE' | 'LATER' | 'NEVER'> {
    let isHeard = false;
    try {
      if (this.held.version === null) await this.askAnew(signal);
      for await (const answer of this.graph.follow(FollowLicenseDocument, { after: this.held.version }, signal)) {
        const news = dataOf(answer).licenseUpdated;
        const meaning = meaningOf(this.held.version, news);
        if (meaning === 'ENDED') return 'NEVER';
        // Without errors, no licence means that there is none any more.
        const isTold = news.license !== null || !answer.errors;
        if (meaning === 'NEXT' && isTold) this.hold({ license: news.license, version: news.version });
        else if (meaning !== 'KNOWN') await this.askAnew(signal, news.version);
        if (this.held.touch !== 'LIVE') this.hold({ touch: 'LIVE' });
        this.failures = 0;
        isHeard = true;
      }
      return 'LATER';
    } catch (error) {
      if (!(error instanceof GraphFault) || error.code !== 'UNAUTHENTICATED') return 'LATER';
      return isHeard && error.reason === 'EXPIRED' ? 'AT_ONCE' : 'NEVER'; // the next token is a fresh one
    }
  }

  /** Reads the licence as it is; `heard` is the newest version anything is known of. */
  private async askAnew(signal: AbortSignal, heard = 0): Promise<void> {
    const answer = await this.graph.ask(ReadLicenseDocument, {}, signal);
    const { license } = dataOf(answer);
    if (license) this.take(license);
    else if (answer.errors) throw new GraphFault(answer.errors);
    else this.hold({ license: null, version: heard });
  }
}

/** Resolves after a time, or as soon as the signal is aborted. */
function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
