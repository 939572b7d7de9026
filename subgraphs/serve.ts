import type { Config } from './_kernel/config.ts';
import type { Machinery } from './_kernel/context.ts';
import { connect, type Db } from './_kernel/db.ts';
import { type FanOut, openFanOut } from './_kernel/fan-out.ts';
import { HomeCopies } from './_kernel/home-copies.ts';
import { HomePools, Homes } from './_kernel/homes.ts';
import { inPlatform, type Jobs, runJobs } from './_kernel/jobs.ts';
import { createVerifier } from './_kernel/signed-context.ts';
import { defineSubgraph, type RunningSubgraph, runSubgraph } from './_kernel/subgraph.ts';
import type { Logger } from './_kernel/telemetry.ts';
import { SUBGRAPHS } from './index.ts';
import { migrate } from './migrate.ts';

export interface Serving {
  subgraphs: RunningSubgraph[];
  fanOut: FanOut;
  stop(): Promise<void>;
}

/**
 * Starts the named subgraphs, or all of them, in this process: pools, live news and jobs.
 * @param isAlone no other process works on this database.
 */
export async function serve(config: Config, log: Logger, names?: readonly string[], isAlone = false): Promise<Serving> {
  const fanOut = openFanOut(config, log);
  const verify = createVerifier(config.ENVELOPE_PUBLIC_KEYS);
  const pools: Db[] = [];
  const homePools = new HomePools(config, log);
  const copies = new HomeCopies(config);
  let jobs: Jobs | undefined;
  const stop = async () => {
    await jobs?.stop();
    await fanOut.close();
    await copies.close();
    await homePools.close();
    await Promise.all(pools.map((db) => db.close()));
  };
  try {
    const subgraphs: RunningSubgraph[] = [];
    for (const definition of SUBGRAPHS.filter(({ name }) => !names || names.includes(name))) {
      const subgraphLog = log.child({ subgraph: definition.name });
      const role = `svc_${definition.name}`;
      const db = await connect(config, role, definition.entities, subgraphLog);
      pools.push(db);
      const platformDb = definition.isControlPlane
        ? await connect(config, 'dotmac_platform', definition.entities, subgraphLog)
        : undefined;
      if (platformDb) pools.push(platformDb);
      const machinery: Machinery = {
        name: definition.name,
        db,
        platformDb,
        homes: new Homes(db, homePools, role, definition.entities, definition.isAtHome ?? false),
        copies,
        migrate,
        fanOut,
        log: subgraphLog,
        config,
      };
      subgraphs.push(runSubgraph(await defineSubgraph(definition), machinery, verify));
    }
    for (const { machinery, subgraph } of subgraphs)
      if (subgraph.definition.onStart) await inPlatform(machinery, subgraph.definition.onStart);
    jobs = await runJobs(config, subgraphs, log, isAlone);
    return { subgraphs, fanOut, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
