import { resolve } from 'node:path';
import type { Logger } from '../subgraphs/_kernel/telemetry.ts';
import { openApolloDoor } from './apollo-server.ts';
import { ANONYMOUS, type Authenticator } from './auth.ts';
import type { DataSource } from './data-sources.ts';
import { Graph } from './graph.ts';
import { openHttpDoor } from './http.ts';
import { remoteSubgraph } from './http-transport.ts';
import type { Licenses } from './licenses.ts';
import { PUBLIC_LIMITS } from './limits.ts';
import { timed } from './metrics.ts';
import { Pacing } from './pacing.ts';
import type { Gateway } from './start.ts';
import { manageSupergraph } from './supergraph.ts';
import type { Tenants } from './tenants.ts';

export interface PublicOptions {
  /** File of the supergraph, which says where its subgraphs are. */
  supergraph: string;
  host: string;
  port: number;
  /** Headers of clients that subgraphs get. */
  forwardedHeaders: readonly string[];
  subgraphTimeoutMs: number;
}

/** Nobody signs in at a public gateway: everybody is let in as nobody. */
const NOBODY: Authenticator = {
  authenticate: async () => ANONYMOUS,
  redeem: async () => ANONYMOUS,
  reportLeak: async () => undefined,
  renew: async (caller) => caller,
  isAsBefore: () => true,
  onChange: () => () => undefined,
  keySet: async () => ({ keys: [] }),
  isFresh: true,
  refresh: async () => undefined,
  close: async () => undefined,
};

/** A graph without tenants has neither their state nor their licences. */
const NO_COPIES = {
  get: async () => null,
  peek: () => null,
  onChange: () => () => undefined,
  offers: async () => ({ features: {}, quotas: {} }),
  isFresh: true,
  refresh: async () => undefined,
  close: async () => undefined,
};

/**
 * Serves any Federation 2 supergraph to whoever asks: without sign-in, licences and signed envelopes, its limits set high.
 * Throws a sentence for a supergraph that cannot be answered rightly, or that does not say where its subgraphs are.
 */
export async function startPublicGateway(options: PublicOptions, log: Logger): Promise<Gateway> {
  const supergraph = await manageSupergraph(resolve(options.supergraph), log);
  const sources = new Map<string, DataSource>();
  const connect = () => {
    for (const { name, url } of supergraph.current().subgraphs) {
      if (!URL.canParse(url)) throw new Error(`The supergraph does not say where its subgraph ${name} is.`);
      if (!sources.has(name)) sources.set(name, timed(remoteSubgraph(name, url, log)));
    }
  };
  connect();
  supergraph.onChange(connect);
  const pacing = new Pacing();
  const graph = new Graph({
    supergraph,
    sources,
    auth: NOBODY,
    licenses: NO_COPIES as Licenses,
    tenants: NO_COPIES as unknown as Tenants,
    subgraphTimeoutMs: options.subgraphTimeoutMs,
    limits: PUBLIC_LIMITS,
    pacing,
    log,
  });
  graph.allowsAnonymousIntrospection = true;
  const http = await openHttpDoor(graph, await openApolloDoor(graph, undefined), {
    host: options.host,
    port: options.port,
    allowedOrigins: [],
    isOwnOriginAllowed: true,
    trustsProxy: false,
    forwardedHeaders: options.forwardedHeaders.map((name) => name.toLowerCase()),
    pages: new Map(),
    log,
  });
  return {
    port: http.port,
    graph,
    reload: supergraph.reload,
    stop: async () => {
      await http.stop();
      pacing.close();
      await supergraph.close();
      await Promise.all([...sources.values()].map((source) => source.close()));
    },
  };
}
