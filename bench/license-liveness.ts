import { openGatewayWorld } from '../tests/setup/gateway.ts';
import { median, percentile, type Result } from './setup.ts';

const CHANGES = 500;
const SUBSCRIBERS = 20;
const KESTREL = '01990000-0000-7000-8000-000000000a01';

/**
 * Commit of a licence change → each open portal, over the real gateway and `graphql-ws` clients on this machine, with
 * every delta checked to be the next version; and the next request after each change, which must see it.
 */
export async function licenseLiveness(): Promise<Result[]> {
  const { client, password, close } = await openGatewayWorld();
  try {
    const ngozi = await client.signIn('ngozi@platform.example', password);
    const wren = await client.signIn('wren@kestrel.example', password);
    const streams = Array.from({ length: SUBSCRIBERS }, () =>
      wren.follow<{ licenseUpdated: { version: number; previousVersion: number | null; committedAt: string } }, object>(
        'subscription { licenseUpdated { version previousVersion committedAt } }',
      ),
    );
    let version = 0;
    for (const stream of streams) version = Number((await stream.next()).data?.licenseUpdated.version);
    const latencies: number[] = [];
    const roundTrips: number[] = [];
    let stale = 0;
    for (let i = 0; i < CHANGES; i++) {
      const heard = streams.map(async (stream) => {
        const update = (await stream.next()).data?.licenseUpdated;
        latencies.push(Date.now() - new Date(String(update?.committedAt)).getTime());
        if (update?.version !== version + 1 || update.previousVersion !== version)
          throw new Error(`A portal heard ${JSON.stringify(update)} after ${version}.`);
      });
      const sentAt = performance.now();
      const isOn = i % 2 === 0;
      const { errors } = await ngozi.ask(
        isOn
          ? `mutation { setOverride(input: { tenantId: "${KESTREL}", key: "crm", isEnabled: true, reason: "Measured." }) { userErrors { message } } }`
          : `mutation { removeOverride(input: { tenantId: "${KESTREL}", key: "crm", reason: "Measured." }) { userErrors { message } } }`,
      );
      if (errors) throw new Error(JSON.stringify(errors));
      roundTrips.push(performance.now() - sentAt);
      const { status } = await wren.ask('{ leads(first: 1) { nodes { number } } }');
      if (status !== (isOn ? 200 : 402)) stale += 1;
      await Promise.all(heard);
      version += 1;
    }
    for (const stream of streams) await stream.stop();
    const [middle, late] = [median(latencies), percentile(latencies, 0.99)];
    return [
      {
        what: `commit → portal, ${CHANGES} changes × ${SUBSCRIBERS} portals, median`,
        figure: `${middle} ms`,
        bound: '≤ 50 ms',
        holds: middle <= 50,
      },
      { what: 'commit → portal, p99', figure: `${late} ms`, bound: '≤ 1,000 ms', holds: late <= 1_000 },
      {
        what: 'mutation with its propagation, median',
        figure: `${median(roundTrips).toFixed(1)} ms`,
        bound: '≤ 150 ms',
        holds: median(roundTrips) <= 150,
      },
      {
        what: 'next request that did not see the change',
        figure: `${stale} of ${CHANGES}`,
        bound: '0',
        holds: stale === 0,
      },
    ];
  } finally {
    await close();
  }
}
