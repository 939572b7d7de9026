import type { SeedTenant } from '../../subgraphs/_kernel/seed-world.ts';
import type { GatewayClient } from '../../tests/setup/gateway.ts';
import { median, percentile, type Result } from '../setup.ts';
import type { LivenessWorld } from './world.ts';

const TRIALS = 1_000;
/** Tenants whose licences change side by side, and who looks. */
const TENANTS: Partial<Record<SeedTenant, string>> = {
  kestrel: 'wren@kestrel.example',
  northwind: 'ingrid@northwind.example',
};
const WAIT_MS = 150;

/** A change at one gateway, and as soon as it is answered the next request at another: each of them in turn. */
export async function nextRequest(world: LivenessWorld): Promise<Result[]> {
  const { gateways } = world;
  const waits: number[] = [];
  const round: number[] = [];
  let [seen, unheard] = [0, 0];
  const tenants = Object.entries(TENANTS) as [SeedTenant, string][];
  await Promise.all(
    tenants.map(async ([tenant, email]) => {
      const token = await world.tokenOf(email);
      for (let i = 0; i < TRIALS / tenants.length; i++) {
        const isOn = i % 2 === 0;
        const changedAt = i % gateways.length;
        const askedAt = (changedAt + 1 + (Math.floor(i / gateways.length) % (gateways.length - 1))) % gateways.length;
        const { propagation, tookMs } = await world.turn(tenant, isOn, changedAt);
        const { status, data } = await (gateways[askedAt] as GatewayClient).post<{ leads: object | null }>(
          '{ leads(first: 1) { nodes { number } } }',
          {},
          token,
        );
        if (isOn ? status === 200 && data?.leads : status === 402) seen += 1;
        if (propagation.nodes !== gateways.length || propagation.acknowledged < propagation.nodes) unheard += 1;
        waits.push(propagation.waitedMs);
        round.push(tookMs);
      }
    }),
  );
  const p95 = percentile(waits, 0.95);
  return [
    {
      what: `next request at another of ${gateways.length} gateways that sees the change, ${TRIALS} trials`,
      figure: `${seen} of ${TRIALS} (${unheard} answered before every gateway held it)`,
      bound: `${TRIALS}`,
      holds: seen === TRIALS,
    },
    {
      what: 'what a change waits for the gateways, p95',
      figure: `${p95} ms (median ${median(waits)} ms; the whole mutation ${median(round).toFixed(0)} ms, p95 ${percentile(round, 0.95).toFixed(0)} ms)`,
      bound: `≤ ${WAIT_MS} ms`,
      holds: p95 <= WAIT_MS,
    },
  ];
}
