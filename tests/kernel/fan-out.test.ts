import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { localSubgraph } from '../../gateway/data-sources.ts';
import { type Gateway, startGateway } from '../../gateway/start.ts';
import { emit, tellGateways } from '../../subgraphs/_kernel/events.ts';
import { type FanOut, openFanOut } from '../../subgraphs/_kernel/fan-out.ts';
import { printMetrics } from '../../subgraphs/_kernel/metrics.ts';
import { createLog } from '../../subgraphs/_kernel/telemetry.ts';
import { GatewayClient, type Person } from '../setup/gateway.ts';
import { startRedis, type TestRedis } from '../setup/redis.ts';
import { openWorld, type World } from '../setup/world.ts';
import { asRole, asSuperuser, inNewTenant, until, withClient } from './by-hand.ts';

const KESTREL = '01990000-0000-7000-8000-000000000a01';
/** What is lost on the way is found by looking within this time, milliseconds. */
const FOUND_MS = 2_000;

/** How the line of an engine breaks. */
interface Breaks {
  /** Every connection is closed; new ones are welcome. */
  cut(world: World): Promise<void>;
  /** The connections stay and nothing comes any more, until the returned function is called. */
  silence(world: World): Promise<() => void>;
  /** Nobody can connect, until the returned function is called. */
  takeDown(world: World): Promise<() => Promise<void>>;
}

const listeners = (world: World) =>
  asSuperuser(
    world,
    `select pid from pg_stat_activity where datname = current_database() and usename = 'dotmac_fan_out'`,
  );

const cutPostgres = async (world: World) =>
  void (await asSuperuser(
    world,
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename = 'dotmac_fan_out'`,
  ));

const postgresBreaks: Breaks = {
  cut: cutPostgres,
  async silence(world) {
    const pids = (await listeners(world)).map(({ pid }) => Number(pid));
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    return () => {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    };
  },
  async takeDown(world) {
    let isDown = true;
    const keptDown = (async () => {
      for (; isDown; await sleep(20)) await cutPostgres(world);
    })();
    return () => {
      isDown = false;
      return keptDown;
    };
  },
};

const redisBreaks = (redis: TestRedis): Breaks => ({
  cut: () => redis.cut(),
  async silence() {
    redis.pause();
    return () => redis.resume();
  },
  async takeDown() {
    await redis.kill();
    return () => redis.restart();
  },
});

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

describe.each([['POSTGRES'], ['REDIS']] as const)('Live news between processes, carried by %s', (engine) => {
  let world: World;
  let breaks: Breaks;
  /** A second process on the same database. */
  let elsewhere: FanOut;
  let gateways: Gateway[];
  let clients: GatewayClient[];

  beforeAll(async () => {
    breaks = engine === 'REDIS' ? redisBreaks(redis) : postgresBreaks;
    world = await openWorld(engine === 'REDIS' ? { REDIS_URL: redis.url } : {});
    const log = createLog(world.config, 'gateway');
    elsewhere = openFanOut(world.config, log);
    const start = (fanOut: FanOut) =>
      startGateway(
        world.config,
        new Map(world.serving.subgraphs.map((running) => [running.name, localSubgraph(running)])),
        fanOut,
        log,
      );
    gateways = [await start(world.serving.fanOut), await start(elsewhere)];
    clients = gateways.map(({ port }) => new GatewayClient(port));
    await until('news pass', passes);
  }, 60_000);
  afterAll(async () => {
    for (const client of clients) await client.close();
    for (const gateway of gateways) await gateway.stop();
    await elsewhere.close();
    await world.close();
  }, 30_000);

  /** Commits an event in a tenant, and tells a feed. */
  async function tell(tenantId: string): Promise<void> {
    const ctx = await inNewTenant(world, tenantId);
    await ctx.tx(async (em) => {
      emit(em, 'tenancy.tenant.updated', { version: 1 });
      tellGateways(em, 'tenants', tenantId);
    });
  }

  /** Whether a commit here wakes who listens elsewhere. It tells no feed: its news may come after the test goes on. */
  async function passes(): Promise<boolean> {
    const tenantId = randomUUID();
    const ctx = await inNewTenant(world, tenantId);
    let heard = false;
    const stop = elsewhere.onTenant(tenantId, () => {
      heard = true;
    });
    await ctx.tx(async (em) => emit(em, 'tenancy.tenant.updated', { version: 1 }));
    for (let i = 0; i < 20 && !heard; i++) await sleep(10);
    stop();
    return heard;
  }

  test('a commit wakes who follows that tenant and that feed in every process, and nobody else', async () => {
    const [tenantId, other] = [randomUUID(), randomUUID()];
    const heard: string[] = [];
    const stops = [world.serving.fanOut, elsewhere].flatMap((fanOut, i) => [
      fanOut.onTenant(tenantId, () => heard.push(`${i}: tenant`)),
      fanOut.onTenant(other, () => heard.push(`${i}: another tenant`)),
      fanOut.onFeed('tenants', () => heard.push(`${i}: feed`)),
      fanOut.onFeed('licenses', () => heard.push(`${i}: another feed`)),
    ]);
    await tell(tenantId);
    await until('all have heard', () => heard.length >= 4);
    await sleep(50);
    expect(heard.sort()).toEqual(['0: feed', '0: tenant', '1: feed', '1: tenant']);
    for (const stop of stops) stop();
    await tell(tenantId);
    await sleep(50);
    expect(heard).toHaveLength(4);
  });

  test('what is rolled back wakes nobody', async () => {
    const tenantId = randomUUID();
    let heard = 0;
    const stop = elsewhere.onTenant(tenantId, () => {
      heard += 1;
    });
    const ctx = await inNewTenant(world, tenantId);
    await expect(
      ctx.tx(async (em) => {
        emit(em, 'tenancy.tenant.updated', { version: 1 });
        throw new Error('changed my mind');
      }),
    ).rejects.toThrow('changed my mind');
    await sleep(100);
    expect(heard).toBe(0);
    stop();
  });

  test('transactions notify in the database only where the database carries the news', async () => {
    let notified = 0;
    await asRole(world, 'dotmac_fan_out', async (client) => {
      client.on('notification', () => {
        notified += 1;
      });
      await client.query('listen dotmac');
      await tell(randomUUID());
      await sleep(100);
    });
    expect(notified).toBe(engine === 'REDIS' ? 0 : 2);
  });

  test('who listens is woken when the line is laid anew, for news may have been lost', async () => {
    let woken = 0;
    const stop = elsewhere.onFeed('grants', () => {
      woken += 1;
    });
    await breaks.cut(world);
    await until('it is woken', () => woken > 0, FOUND_MS);
    stop();
    await until('news pass again', passes);
  });

  test('nonsense on the line wakes nobody and breaks nothing, whoever sends it', async () => {
    let woken = 0;
    const stops = [elsewhere.onTenant('', () => woken++), elsewhere.onFeed('', () => woken++)];
    const nonsense = ['', 'error', 'null', '5', '[]', '{}', '{"tenant":null}', 'tenant:', 'feed: tenant:', '\0 \ud800'];
    if (engine === 'REDIS') {
      const intruder = new Redis(redis.url);
      const [channel] = (await intruder.pubsub('CHANNELS')) as string[];
      for (const text of nonsense) await intruder.publish(String(channel), text);
      intruder.disconnect();
    } else
      await withClient(world.databaseUrl, async (client) => {
        for (const text of nonsense) await client.query("select pg_notify('dotmac', $1)", [text.replaceAll('\0', '')]);
      });
    expect(await passes()).toBe(true);
    expect(woken).toBe(0);
    for (const stop of stops) stop();
  });

  test('news are counted, and whether the line stands', async () => {
    expect(await passes()).toBe(true);
    const text = await printMetrics();
    expect(text).toMatch(new RegExp(`dotmac_fan_out_up{engine="${engine}"} 1`));
    expect(Number(new RegExp(`dotmac_fan_out_heard_total{engine="${engine}"} (\\d+)`).exec(text)?.[1])).toBeGreaterThan(
      0,
    );
  });

  describe('a licence change is seen in every open stream and by the next request of every gateway within two seconds', () => {
    let portals: Person[];
    let ngozi: Person;
    beforeAll(async () => {
      ngozi = await (clients[0] as GatewayClient).signIn('ngozi@platform.example', String(world.config.SEED_PASSWORD));
      const wren = await (clients[0] as GatewayClient).signIn(
        'wren@kestrel.example',
        String(world.config.SEED_PASSWORD),
      );
      portals = clients.map((client) => client.as(wren.token));
    });

    /** Switches CRM on or off for Kestrel while the line is broken, and waits until everybody knows. */
    async function changeIsSeen(isOn: boolean): Promise<void> {
      const streams = portals.map((portal) =>
        portal.follow<{ licenseUpdated: { version: number } }, object>('subscription { licenseUpdated { version } }'),
      );
      const versions = await Promise.all(
        streams.map(async (stream) => (await stream.next()).data?.licenseUpdated.version),
      );
      const mend = await broken();
      const toldAt = performance.now();
      const heard = streams.map(async (stream, i) => {
        const update = (await stream.next()).data?.licenseUpdated.version;
        return [update, performance.now() - toldAt, Number(versions[i]) + 1] as const;
      });
      const { errors } = await ngozi.ask(
        isOn
          ? `mutation { setOverride(input: { tenantId: "${KESTREL}", key: "crm", isEnabled: true, reason: "Tried." }) { userErrors { message } } }`
          : `mutation { removeOverride(input: { tenantId: "${KESTREL}", key: "crm", reason: "Tried." }) { userErrors { message } } }`,
      );
      expect(errors).toBeUndefined();
      const asked = portals.map(async (portal) => {
        const wanted = isOn ? 200 : 402;
        let status = 0;
        while (status !== wanted && performance.now() - toldAt < FOUND_MS + 1_000)
          status = (await portal.ask('{ leads(first: 1) { nodes { number } } }')).status;
        return [status, performance.now() - toldAt] as const;
      });
      try {
        for (const [version, ms, next] of await Promise.all(heard)) {
          expect(version).toBe(next);
          expect(ms).toBeLessThan(FOUND_MS);
        }
        for (const [status, ms] of await Promise.all(asked)) {
          expect(status).toBe(isOn ? 200 : 402);
          expect(ms).toBeLessThan(FOUND_MS);
        }
      } finally {
        await mend();
        for (const stream of streams) await stream.stop();
      }
      await until('news pass again', passes, 10_000);
    }
    let broken: () => Promise<() => unknown>;

    test('when the line was cut', async () => {
      broken = async () => {
        await breaks.cut(world);
        return () => undefined;
      };
      await changeIsSeen(true);
      await changeIsSeen(false);
    }, 30_000);

    test('when it has fallen silent', async () => {
      broken = () => breaks.silence(world);
      await changeIsSeen(true);
      await changeIsSeen(false);
    }, 40_000);

    test('when there is none', async () => {
      broken = () => breaks.takeDown(world);
      await changeIsSeen(true);
      await changeIsSeen(false);
    }, 40_000);
  });
});

test('two deployments that share one Redis do not wake each other', async () => {
  const [one, other] = await Promise.all([openWorld({ REDIS_URL: redis.url }), openWorld({ REDIS_URL: redis.url })]);
  const tenantId = randomUUID();
  const heard: string[] = [];
  one.serving.fanOut.onTenant(tenantId, () => heard.push('one'));
  other.serving.fanOut.onTenant(tenantId, () => heard.push('other'));
  const tellOne = async () => {
    const ctx = await inNewTenant(one, tenantId);
    await ctx.tx(async (em) => void emit(em, 'tenancy.tenant.updated', { version: 1 }));
  };
  await sleep(200);
  heard.length = 0;
  await until('news pass', async () => {
    await tellOne();
    await sleep(20);
    return heard.includes('one');
  });
  expect(heard).not.toContain('other');
  await one.close();
  await other.close();
});
