import { isAbsolute, resolve } from 'node:path';
import type { Config } from '../subgraphs/_kernel/config.ts';
import { StartFailure } from '../subgraphs/_kernel/embedded-postgres.ts';
import type { FanOut } from '../subgraphs/_kernel/fan-out.ts';
import { createMint } from '../subgraphs/_kernel/signed-context.ts';
import type { Logger } from '../subgraphs/_kernel/telemetry.ts';
import { holdApiCalls } from './api-calls.ts';
import { openApolloDoor } from './apollo-server.ts';
import { createAsk } from './ask.ts';
import { createAuthenticator } from './auth.ts';
import { brandImages } from './brand-images.ts';
import type { DataSource } from './data-sources.ts';
import { DenialLog } from './denial-log.ts';
import { examplePages } from './example-page.ts';
import { filesOf } from './files.ts';
import { Graph } from './graph.ts';
import { graphiqlPages } from './graphiql.ts';
import { holdHosts } from './hosts.ts';
import { openHttpDoor } from './http.ts';
import { licenseDocuments } from './license-documents.ts';
import { holdLicenses } from './licenses.ts';
import { timed } from './metrics.ts';
import { oauthReturn } from './oauth-return.ts';
import { managePersistedOperations } from './persisted-operations.ts';
import { ratesInMemory } from './rates.memory.ts';
import { ratesInRedis } from './rates.redis.ts';
import { createRates } from './rates.ts';
import { Shedding } from './shedding.ts';
import { STREAM_LIMITS } from './subscriptions/stream-limits.ts';
import { manageSupergraph } from './supergraph.ts';
import { holdTenants } from './tenants.ts';

export interface Gateway {
  port: number;
  graph: Graph;
  /** Loads the supergraph's file again; a broken one is refused and the last good one stays. */
  reload(): Promise<boolean>;
  stop(): Promise<void>;
}

/**
 * Starts a gateway over the given subgraphs. It is ready, copies and all, when this resolves.
 * @param options.copiesClock by which the age of held licences and grants is told, milliseconds; the process's own, unless a
 *   test moves it.
 */
export async function startGateway(
  config: Config,
  given: ReadonlyMap<string, DataSource>,
  fanOut: FanOut,
  log: Logger,
  options: { sandboxToken?: (graph: Graph) => Promise<string | undefined>; copiesClock?: () => number } = {},
): Promise<Gateway> {
  const isDevelopment = config.NODE_ENV === 'development';
  const file = isAbsolute(config.SUPERGRAPH_FILE)
    ? config.SUPERGRAPH_FILE
    : resolve(import.meta.dirname, '..', config.SUPERGRAPH_FILE);
  const supergraph = await manageSupergraph(file, log);
  const persisted = await managePersistedOperations(
    config.PERSISTED_OPERATIONS.map((path) => resolve(import.meta.dirname, '..', path)),
    config.PORTALS_IDS_ONLY ?? (config.NODE_ENV === 'production' && config.PERSISTED_OPERATIONS.length > 0),
    log,
  );
  const rates = createRates(config.REDIS_URL ? ratesInRedis(config.REDIS_URL, ratesInMemory(), log) : ratesInMemory(), {
    perCaller: config.RATE_PER_CALLER,
    perTenant: config.RATE_PER_TENANT,
    perAddress: config.RATE_PER_ADDRESS,
  });
  const sources = new Map([...given].map(([name, source]) => [name, timed(source)]));
  const mint = createMint(config.ENVELOPE_PRIVATE_KEY);
  const ask = createAsk(sources, mint);
  const licenses = holdLicenses(ask, fanOut, log, options.copiesClock);
  const tenants = holdTenants(ask, fanOut, log);
  const hosts = holdHosts(ask, fanOut, log, config.PUBLIC_URL);
  const auth = createAuthenticator(ask, fanOut, log, config.PUBLIC_URL, options.copiesClock);
  const apiCalls = holdApiCalls(ask, log);
  const denials = new DenialLog(ask, log);
  const close = async () => {
    // Whoever still asks is waited for: its subgraph may close its pools next.
    await Promise.all([apiCalls, denials, licenses, tenants, hosts, auth].map((part) => part.close()));
    rates.close();
    persisted.close();
    await supergraph.close();
    await Promise.all([...sources.values()].map((source) => source.close()));
  };
  try {
    const graph = new Graph({
      supergraph,
      sources,
      mint,
      auth,
      licenses,
      tenants,
      hosts,
      subgraphTimeoutMs: config.SUBGRAPH_TIMEOUT_MS,
      rates,
      shedding: new Shedding(),
      persisted,
      apiCalls,
      denials,
      log,
    });
    await graph.warmUp();
    supergraph.beforeChange((next) => graph.warmUp(next));
    persisted.onChange(() => void graph.warmUp());
    graph.allowsAnonymousIntrospection = config.NODE_ENV !== 'production';
    const { sandboxToken } = options;
    const apollo = await openApolloDoor(graph, isDevelopment ? async () => sandboxToken?.(graph) : undefined);
    await Promise.allSettled([licenses.refresh(), tenants.refresh(), hosts.refresh(), auth.refresh()]); // readiness tells if one of them could not
    const http = await openHttpDoor(graph, apollo, {
      host: config.HOST,
      port: config.PORT,
      allowedOrigins: config.ALLOWED_ORIGINS,
      isOwnOriginAllowed: isDevelopment,
      trustsProxy: config.TRUST_PROXY,
      drainDelayMs: config.DRAIN_DELAY_MS,
      forwardedHeaders: [],
      streamLimits: {
        ...STREAM_LIMITS,
        socketsPerAddress: config.SOCKETS_PER_ADDRESS,
        socketsPerUser: config.SOCKETS_PER_USER,
        streamsPerUser: config.STREAMS_PER_USER,
      },
      documents: licenseDocuments(ask),
      returnFrom: oauthReturn(ask),
      files: filesOf(ask, config),
      images: brandImages(ask),
      pages: isDevelopment ? new Map([...graphiqlPages(), ...examplePages()]) : new Map(),
      log,
    });
    return {
      port: http.port,
      graph,
      reload: async () => {
        const isNew = await supergraph.reload();
        await persisted.reload();
        return isNew;
      },
      stop: async () => {
        await http.stop();
        await close();
      },
    };
  } catch (error) {
    await close();
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE')
      throw new StartFailure('PORT_TAKEN', `Port ${config.PORT} is taken by another program. Set PORT to a free one.`);
    if ((error as NodeJS.ErrnoException).code === 'EACCES')
      throw new StartFailure(
        'PORT_FORBIDDEN',
        `Port ${config.PORT} may not be opened by this user. Set PORT to one above 1023.`,
      );
    throw error;
  }
}
