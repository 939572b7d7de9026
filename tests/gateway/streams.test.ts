import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sourcesOpen, streamEnds, streamEvents, streamsOpen } from '../../gateway/metrics.ts';
import { signAccessToken } from '../../subgraphs/_kernel/access-token.ts';
import { emit } from '../../subgraphs/_kernel/events.ts';
import type { SubgraphStream } from '../../subgraphs/_kernel/subgraph.ts';
import { signingKey } from '../../subgraphs/identity/token-key.service.ts';
import { until } from '../kernel/by-hand.ts';
import { openGatewayWorld, type Person } from '../setup/gateway.ts';
import { DOORS, type Door, type Followed, followOver } from '../setup/streams.ts';

const KESTREL = '01990000-0000-7000-8000-000000000a01';

interface Renamed {
  tenantUpdated: { name: string };
}

/** What a gauge or counter says for a door, or in all. */
async function figure(metric: typeof streamsOpen | typeof streamEvents, labels: Record<string, string> = {}) {
  const { values } = await metric.get();
  return values
    .filter((value) => Object.entries(labels).every(([name, wanted]) => value.labels[name as never] === wanted))
    .reduce((sum, { value }) => sum + value, 0);
}

describe('Whatever the door', () => {
  const dir = mkdtempSync(join(tmpdir(), 'dotmac-streams-'));
  const file = join(dir, 'supergraph.graphql');
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let ngozi: Person;
  let wren: Person;
  let ingrid: Person;
  const opened: Followed[] = [];

  beforeAll(async () => {
    copyFileSync(new URL('../../schema/supergraph.graphql', import.meta.url), file);
    running = await openGatewayWorld({ SUPERGRAPH_FILE: file });
    ngozi = await signIn('ngozi@platform.example');
    wren = await signIn('wren@kestrel.example');
    ingrid = await signIn('ingrid@northwind.example');
  }, 60_000);
  afterEach(async () => {
    for (const stream of opened.splice(0)) stream.stop();
    await until('nobody follows any more', async () => (await figure(sourcesOpen)) === 0);
  });
  afterAll(async () => {
    await running?.close();
    rmSync(dir, { recursive: true });
  });

  const signIn = (email: string, options = {}) => running.client.signIn(email, running.password, options);
  const follow = async (door: Door, who: Person | string, query: string, variables?: Record<string, unknown>) => {
    const token = typeof who === 'string' ? who : who.token;
    const stream = await followOver(door, { url: running.client.url, token, query, variables });
    opened.push(stream);
    return stream;
  };
  const rename = async (who: Person, name: string) => {
    const { data, errors } = await who.ask<{ updateTenantProfile: { userErrors: object[] } }, object>(
      'mutation($input: TenantProfileInput!) { updateTenantProfile(input: $input) { userErrors { message } } }',
      { input: { name } },
    );
    expect(errors ?? data?.updateTenantProfile.userErrors).toEqual([]);
  };
  const switchCrm = async (isOn: boolean) => {
    const input = `tenantId: "${KESTREL}", key: "crm"`;
    const { errors } = await ngozi.ask(
      isOn
        ? `mutation { setOverride(input: { ${input}, isEnabled: true, reason: "For a while." }) { userErrors { message } } }`
        : `mutation { removeOverride(input: { ${input}, reason: "No longer." }) { userErrors { message } } }`,
    );
    expect(errors).toBeUndefined();
  };

  test.each(DOORS)('%s: events come in order, in the shape of a query, joined over subgraphs', async (door) => {
    const stream = await follow(
      door,
      ingrid,
      'subscription { now: tenantUpdated { name short: slug license { opens: state } slug } }',
    );
    const told = (name: string) =>
      `{"now":{"name":"${name}","short":"northwind","license":{"opens":"ACTIVE"},"slug":"northwind"}}`;
    await stream.next();
    for (let i = 0; i < 10; i++) {
      await rename(ingrid, `Northwind ${i}`);
      expect(JSON.stringify((await stream.next()).data)).toBe(told(`Northwind ${i}`));
    }
    await rename(ingrid, 'Northwind Fibre');
  });

  test.each(
    DOORS,
  )('%s: what goes wrong with a part of an event stands beside the rest, and the stream goes on', async (door) => {
    const lena = await signIn('lena@northwind.example', { realm: 'northwind' });
    const stream = await follow(
      door,
      lena,
      'subscription { tenantUpdated { slug members(first: 1) { nodes { id } } } }',
    );
    for (let i = 0; i < 3; i++) {
      const { data, errors } = await stream.next();
      expect(data).toEqual({ tenantUpdated: { slug: 'northwind', members: null } });
      expect(errors).toEqual([
        {
          message: 'You may not do this.',
          path: ['tenantUpdated', 'members'],
          extensions: { code: 'FORBIDDEN' },
        },
      ]);
      await rename(ingrid, `Northwind Fibre ${i}`);
    }
  });

  test.each(
    DOORS,
  )('%s: a stream ends with its reason within a second of its feature leaving the licence', async (door) => {
    await switchCrm(true);
    const stream = await follow(door, wren, 'subscription { contactsChanged { kind } }');
    expect((await stream.next()).data).toEqual({ contactsChanged: { kind: 'SNAPSHOT' } });
    const at = Date.now();
    await switchCrm(false);
    const { data, errors } = await stream.next();
    expect([data, errors?.[0]?.extensions]).toEqual([
      undefined,
      expect.objectContaining({ code: 'FEATURE_NOT_LICENSED', feature: 'crm', reason: 'NOT_IN_PLAN' }),
    ]);
    await stream.ended;
    expect(Date.now() - at).toBeLessThan(1_500);
  });

  test.each(DOORS)('%s: a stream whose licence changes while it is opened is told how things are', async (door) => {
    const licensing = running.gateway.graph.sourceOf('licensing');
    const { subscribe } = licensing;
    licensing.subscribe = async (...asked) => {
      licensing.subscribe = subscribe;
      const events = await subscribe(...asked);
      await switchCrm(true);
      return events;
    };
    const stream = await follow(door, wren, 'subscription { licenseUpdated { version } }');
    const { data } = await stream.next<{ licenseUpdated: { version: number } }>();
    await switchCrm(false);
    const next = (await stream.next<{ licenseUpdated: { version: number } }>()).data;
    expect(next?.licenseUpdated.version).toBe(Number(data?.licenseUpdated.version) + 1);
  });

  test.each(DOORS)('%s: a stream ends with its reason within a second of its session ending', async (door) => {
    const ada = await signIn('ada@kestrel.example');
    const stream = await follow(door, ada, 'subscription { tenantUpdated { slug } }');
    await stream.next();
    const at = Date.now();
    await ada.ask('mutation { signOut { isDone } }');
    expect((await stream.next()).errors?.[0]?.extensions).toEqual({ code: 'UNAUTHENTICATED', reason: 'REVOKED' });
    await stream.ended;
    expect(Date.now() - at).toBeLessThan(1_500);
  });

  test.each(DOORS)('%s: a stream ends with its token, and says so', async (door) => {
    const milo = await signIn('milo@kestrel.example');
    const identity = await running.world.system('platform', 'identity');
    const { kid, privateKey } = await signingKey(identity);
    const claims = JSON.parse(Buffer.from(String(milo.token.split('.')[1]), 'base64url').toString());
    const exp = Math.floor(Date.now() / 1_000) + 2;
    const stream = await follow(
      door,
      signAccessToken({ ...claims, exp }, kid, privateKey),
      'subscription { tenantUpdated { slug } }',
    );
    await stream.next();
    expect((await stream.next()).errors?.[0]?.extensions).toEqual({ code: 'UNAUTHENTICATED', reason: 'EXPIRED' });
    expect(Date.now()).toBeGreaterThanOrEqual(exp * 1_000);
    await stream.ended;
    expect(Date.now()).toBeLessThan(exp * 1_000 + 1_500);
  });

  test.each(DOORS)('%s: whoever was away goes on behind the version they hold, and misses nothing', async (door) => {
    const query = 'subscription($after: Int) { licenseUpdated(after: $after) { kind version previousVersion } }';
    interface Update {
      licenseUpdated: { kind: string; version: number; previousVersion: number | null };
    }
    const first = await follow(door, wren, query);
    const { data } = await first.next<Update>();
    expect(data?.licenseUpdated.kind).toBe('SNAPSHOT');
    first.stop();
    const held = Number(data?.licenseUpdated.version);
    await switchCrm(true);
    await switchCrm(false);
    const again = await follow(door, wren, query, { after: held });
    await switchCrm(true);
    await switchCrm(false);
    for (let version = held + 1; version <= held + 4; version++)
      expect((await again.next<Update>()).data?.licenseUpdated).toEqual({
        ...{ kind: 'DELTA', version, previousVersion: version - 1 },
      });
  });

  test.each(
    DOORS.flatMap((door) => [0, 1, 2, 3].map((told) => [door, told] as const)),
  )('%s: a licence that changes when %i of the missed changes are told repeats none of them', async (door, told) => {
    const query = 'subscription($after: Int) { licenseUpdated(after: $after) { version previousVersion } }';
    interface Update {
      licenseUpdated: { version: number; previousVersion: number };
    }
    const first = await follow(door, wren, query);
    const held = Number((await first.next<Update>()).data?.licenseUpdated.version);
    first.stop();
    for (const isOn of [true, false, true]) await switchCrm(isOn);
    const licensing = running.gateway.graph.sourceOf('licensing');
    const { subscribe } = licensing;
    licensing.subscribe = async (...asked) => {
      licensing.subscribe = subscribe;
      const events = (await subscribe(...asked)) as SubgraphStream;
      let items = 0;
      const next = events.next.bind(events);
      events.next = async (...args) => {
        const item = items === told ? switchCrm(false) : undefined;
        items += 1;
        await item;
        return next(...args);
      };
      return events;
    };
    const again = await follow(door, wren, query, { after: held });
    const versions: number[] = [];
    for (let i = 0; i < 4; i++) versions.push(Number((await again.next<Update>()).data?.licenseUpdated.version));
    expect(versions).toEqual([held + 1, held + 2, held + 3, held + 4]);
    await expect(Promise.race([again.next(), sleep(200, 'nothing')])).resolves.toBe('nothing');
  });

  test('who may the same shares one source over all doors, whatever session they come from; who may other things never does', async () => {
    const query = 'subscription { tenantUpdated { name } }';
    const agents = await Promise.all(['samira', 'piet', 'lotte'].map((name) => signIn(`${name}@northwind.example`)));
    const streams = await Promise.all(agents.flatMap((agent) => DOORS.map((door) => follow(door, agent, query))));
    for (const stream of streams) await stream.next();
    await until('they share a source', async () => (await figure(sourcesOpen)) === 1);
    const admin = await follow('sse', ingrid, query);
    const other = await follow('sse', wren, query);
    for (const stream of [admin, other]) await stream.next();
    await sleep(100);
    expect(await figure(sourcesOpen)).toBe(3);
    for (let i = 0; i < 5; i++) {
      await rename(ingrid, `Together ${i}`);
      for (const stream of [...streams, admin])
        expect((await stream.next<Renamed>()).data).toEqual({ tenantUpdated: { name: `Together ${i}` } });
    }
    for (const stream of [...streams.slice(1), admin, other]) stream.stop();
    await until('the last reader keeps the source', async () => (await figure(streamsOpen)) === 1);
    expect(await figure(sourcesOpen)).toBe(1);
    await rename(ingrid, 'Northwind Fibre');
    expect((await streams[0]?.next<Renamed>())?.data).toEqual({ tenantUpdated: { name: 'Northwind Fibre' } });
  });

  test('readers that come and go while much happens are each told everything once and in order', async () => {
    const query = 'subscription($after: Int) { licenseUpdated(after: $after) { version previousVersion } }';
    interface Update {
      licenseUpdated: { version: number; previousVersion: number | null };
    }
    let isOver = false;
    const changing = (async () => {
      for (let isOn = true; !isOver; isOn = !isOn) await switchCrm(isOn);
    })();
    const read = async (door: Door) => {
      const stream = await follow(door, wren, query);
      let held = 0;
      for (let i = 0; i < 12; i++) {
        const { data, errors } = await stream.next<Update>();
        expect(errors).toBeUndefined();
        const update = data?.licenseUpdated;
        if (i > 0) expect(update).toEqual({ version: held + 1, previousVersion: held });
        held = Number(update?.version);
      }
      stream.stop();
    };
    for (let round = 0; round < 4; round++) await Promise.all([...DOORS, ...DOORS].map(read));
    isOver = true;
    await changing;
    await switchCrm(true).then(() => switchCrm(false));
  }, 60_000);

  test('readers whose lines are cut while the licence changes hear each change once and in order, from wherever they go on', async () => {
    const query = 'subscription($after: Int) { licenseUpdated(after: $after) { kind version previousVersion } }';
    interface Update {
      licenseUpdated: { kind: string; version: number; previousVersion: number | null };
    }
    let isOver = false;
    const changing = (async () => {
      for (let isOn = true; !isOver; isOn = !isOn) {
        await switchCrm(isOn);
        await sleep(Math.random() * 40);
      }
    })();
    let deltas = 0;
    const read = async (door: Door, back: number) => {
      let held: number | null = null;
      for (let life = 0; life < 8; life++) {
        const after: number | null = held === null ? null : held - back;
        const stream = await follow(door, wren, query, { after });
        let known = after;
        for (let i = 0; i < 1 + ((life + back) % 4); i++) {
          const { data, errors } = await stream.next<Update>();
          expect(errors).toBeUndefined();
          const { kind, ...update } = data?.licenseUpdated as Update['licenseUpdated'];
          if (kind === 'DELTA') {
            expect(update).toEqual({ version: Number(known) + 1, previousVersion: known });
            deltas += 1;
          } else {
            expect(i).toBe(0); // how things are is told at the beginning alone, and only to who has missed nothing
            if (known !== null) expect(update.version).toBe(known);
          }
          known = update.version;
        }
        stream.stop();
        held = Math.max(known ?? 0, held ?? 0);
      }
    };
    await Promise.all(DOORS.flatMap((door) => [0, 0, 1, 2].map((back) => read(door, back))));
    isOver = true;
    await changing;
    expect(deltas).toBeGreaterThan(100);
    await switchCrm(true).then(() => switchCrm(false));
  }, 60_000);

  test('a feature that goes while many open their streams leaves none of them silent, and each change of the licence is told once', async () => {
    interface Update {
      licenseUpdated: { version: number; previousVersion: number };
    }
    const version = async () =>
      Number(
        (await wren.ask<{ license: { version: number } }, object>('{ license { version } }')).data?.license.version,
      );
    for (let round = 0; round < 8; round++) {
      await switchCrm(true);
      const held = (await version()) - 1; // the change just made is missed by all who come
      const opening = Array.from({ length: 8 }, (_, i) => {
        const door = DOORS[i % DOORS.length] as Door;
        const query =
          i % 2 === 0
            ? 'subscription { contactsChanged { kind } }'
            : 'subscription($after: Int) { licenseUpdated(after: $after) { version previousVersion } }';
        return follow(door, wren, query, i % 2 === 0 ? undefined : { after: held });
      });
      await sleep(round * 4);
      await switchCrm(false);
      for (const [i, stream] of (await Promise.all(opening)).entries()) {
        if (i % 2 === 0) {
          let last = await stream.next();
          if (!last.errors) last = await stream.next();
          expect(last.errors?.[0]?.extensions).toMatchObject({ code: 'FEATURE_NOT_LICENSED', reason: 'NOT_IN_PLAN' });
          await stream.ended;
        } else {
          for (const known of [held, held + 1])
            expect((await stream.next<Update>()).data?.licenseUpdated).toEqual({
              ...{ version: known + 1, previousVersion: known },
            });
          await expect(Promise.race([stream.next(), sleep(50, 'nothing')])).resolves.toBe('nothing');
          stream.stop();
        }
      }
    }
  }, 60_000);

  test('a stream about oneself is shared with nobody else, and two tabs of one session share it', async () => {
    const query = 'subscription { mySessionEnded { reason } }';
    const [samira, piet] = [await signIn('samira@northwind.example'), await signIn('piet@northwind.example')];
    const mine = await Promise.all(DOORS.map((door) => follow(door, samira, query)));
    const theirs = await follow('sse', piet, query);
    await until('each of the two has a source', async () => (await figure(sourcesOpen)) === 2);
    await piet.ask('mutation { signOut { isDone } }');
    const { data, errors } = await theirs.next<{ mySessionEnded: { reason: string } }>();
    expect(data?.mySessionEnded.reason ?? errors?.[0]?.extensions.reason).toMatch(/SIGNED_OUT|REVOKED/);
    for (const stream of mine)
      await expect(Promise.race([stream.next(), sleep(300, 'nothing')])).resolves.toBe('nothing');
  });

  test('a role taken away moves its reader alone: the others are told on, and it goes on with what it may', async () => {
    const query = 'subscription { tenantUpdated { name members(first: 1) { nodes { id } } } }';
    const [piet, lotte] = [await signIn('piet@northwind.example'), await signIn('lotte@northwind.example')];
    const streams = await Promise.all([piet, piet, lotte].map((who, i) => follow(DOORS[i] as Door, who, query)));
    for (const stream of streams) await stream.next();
    await until('they share a source', async () => (await figure(sourcesOpen)) === 1);
    const { data } = await ingrid.ask<
      { members: { nodes: { id: string; version: number; user: { displayName: string } }[] } },
      object
    >('{ members(first: 50) { nodes { id version user { displayName } } } }');
    const member = data?.members.nodes.find(({ user }) => user.displayName === 'Lotte Kern');
    const changed = await ingrid.ask<{ setMemberRoles: { userErrors: object[] } }, object>(
      'mutation($input: MemberRolesInput!) { setMemberRoles(input: $input) { userErrors { code message } } }',
      { input: { membershipId: member?.id, expectedVersion: member?.version, roles: ['technician'] } },
    );
    expect(changed.errors ?? changed.data?.setMemberRoles.userErrors).toEqual([]);
    await until('one has moved', async () => (await figure(sourcesOpen)) === 2);
    await rename(ingrid, 'Moved');
    for (const stream of streams) expect((await stream.next<Renamed>()).data?.tenantUpdated.name).toBe('Moved');
    await rename(ingrid, 'Northwind Fibre');
    for (const stream of streams)
      expect((await stream.next<Renamed>()).data?.tenantUpdated.name).toBe('Northwind Fibre');
  });

  test('a new supergraph drops no stream that is still valid, and ends the others with a code', async () => {
    const streams = await Promise.all(
      DOORS.map((door) => follow(door, ingrid, 'subscription { tenantUpdated { name } }')),
    );
    const gone = await Promise.all(
      DOORS.map((door) => follow(door, ingrid, 'subscription { tenantUpdated { name legalName } }')),
    );
    for (const stream of [...streams, ...gone]) await stream.next();
    const whole = readFileSync(file, 'utf8');
    writeFileSync(file, whole.replace(/^ {2}legalName: String @join__field\(graph: TENANCY\)$/m, ''));
    expect(await running.gateway.reload()).toBe(true);
    for (const stream of gone) {
      expect((await stream.next()).errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
      await stream.ended;
    }
    await rename(ingrid, 'Reloaded');
    for (const stream of streams) expect((await stream.next()).data).toEqual({ tenantUpdated: { name: 'Reloaded' } });
    writeFileSync(file, whole);
    expect(await running.gateway.reload()).toBe(true);
    await rename(ingrid, 'Northwind Fibre');
    for (const stream of streams)
      expect((await stream.next()).data).toEqual({ tenantUpdated: { name: 'Northwind Fibre' } });
  });

  test('news that do not concern a stream tell it nothing', async () => {
    const streams = await Promise.all(
      DOORS.map((door) => follow(door, ingrid, 'subscription { tenantUpdated { name } }')),
    );
    for (const stream of streams) await stream.next();
    const ctx = await running.world.system('northwind', 'crm');
    await ctx.tx(async (em) => {
      emit(em, 'crm.contact.changed', { contactId: KESTREL, customerId: null } as never);
    });
    for (const stream of streams)
      await expect(Promise.race([stream.next(), sleep(300, 'nothing')])).resolves.toBe('nothing');
  });

  test('what is open, told and ended is counted by door', async () => {
    const before = await Promise.all(DOORS.map((door) => figure(streamEvents, { door })));
    const ends = await Promise.all(DOORS.map((door) => figure(streamEnds, { door, reason: 'left' })));
    const streams = await Promise.all(
      DOORS.map((door) => follow(door, ingrid, 'subscription { tenantUpdated { name } }')),
    );
    for (const stream of streams) await stream.next();
    await rename(ingrid, 'Counted');
    for (const stream of streams) await stream.next();
    for (const [i, door] of DOORS.entries()) {
      expect(await figure(streamsOpen, { door })).toBe(1);
      expect((await figure(streamEvents, { door })) - Number(before[i])).toBe(2);
    }
    for (const stream of streams) stream.stop();
    await until('they are counted as left', async () => {
      const now = await Promise.all(DOORS.map((door) => figure(streamEnds, { door, reason: 'left' })));
      return now.every((count, i) => count === Number(ends[i]) + 1);
    });
  });
});
