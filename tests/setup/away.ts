import { type DataSource, gone, localSubgraph } from '../../gateway/data-sources.ts';
import { type Gateway, startGateway } from '../../gateway/start.ts';
import { createLog } from '../../subgraphs/_kernel/telemetry.ts';
import { GatewayClient } from './gateway.ts';
import { openWorld, type World } from './world.ts';

export interface AwayWorld {
  world: World;
  gateway: Gateway;
  client: GatewayClient;
  /** Whether the subgraph is out of the gateway's reach now. */
  isAway: boolean;
  /** By how much the gateway's copies are older than the wall says, milliseconds. */
  ahead: number;
  close(): Promise<void>;
}

/** The whole product with a gateway from which one subgraph can be taken away, and whose copies can be made older. */
export async function openAwayWorld(name: string): Promise<AwayWorld> {
  const world = await openWorld();
  const sources = new Map<string, DataSource>(
    world.serving.subgraphs.map((running) => {
      const source = localSubgraph(running);
      if (running.name !== name) return [running.name, source];
      const unlessAway =
        <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
        async (...args: A) =>
          away.isAway ? Promise.reject(gone()) : call(...args);
      return [
        running.name,
        { ...source, execute: unlessAway(source.execute), subscribe: unlessAway(source.subscribe) },
      ];
    }),
  );
  const away = { isAway: false, ahead: 0 };
  const gateway = await startGateway(world.config, sources, world.serving.fanOut, createLog(world.config, 'gateway'), {
    copiesClock: () => performance.now() + away.ahead,
  });
  const client = new GatewayClient(gateway.port);
  return Object.assign(away, {
    world,
    gateway,
    client,
    async close() {
      await client.close();
      await gateway.stop();
      await world.close();
    },
  });
}
