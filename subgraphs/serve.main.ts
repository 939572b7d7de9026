import 'reflect-metadata';
import { openAdminPort } from './_kernel/admin-port.ts';
import { readConfig } from './_kernel/config.ts';
import { devSecrets } from './_kernel/dev-secrets.ts';
import { type SubgraphServer, serveOverHttp } from './_kernel/subgraph-server.ts';
import { createLog, startTelemetry } from './_kernel/telemetry.ts';
import { SUBGRAPHS } from './index.ts';
import { serve } from './serve.ts';

/** A shutdown that takes longer is cut short, milliseconds. */
const LONGEST_STOP_MS = 15_000;

/** `npm run serve -- billing`: one subgraph in a process of its own, over HTTP at PORT. */
try {
  const name = process.argv[2] ?? '';
  if (!SUBGRAPHS.some((definition) => definition.name === name))
    throw new Error(`Say which subgraph to serve: ${SUBGRAPHS.map((definition) => definition.name).join(', ')}.`);
  const isProduction = (process.env.NODE_ENV ?? 'production') === 'production';
  const config = readConfig(process.env, isProduction ? {} : devSecrets(process.env.DATA_DIR || '.data'));
  if (!config.DATABASE_URL)
    throw new Error('DATABASE_URL is missing: a subgraph that runs apart needs the database of the others.');
  const log = createLog(config, name);
  const stopTelemetry = startTelemetry(config, name);
  const admin = await openAdminPort(config, log);
  const serving = await serve(config, log, [name]);
  const servers: SubgraphServer[] = [];
  for (const running of serving.subgraphs)
    servers.push(await serveOverHttp(running, { host: config.HOST, port: config.PORT }));
  log.info({ url: servers[0]?.url }, 'subgraph ready');
  const stop = async () => {
    setTimeout(() => process.exit(1), LONGEST_STOP_MS).unref();
    for (const server of servers) await server.stop();
    await serving.stop();
    await admin?.close();
    await stopTelemetry();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}
