import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Deployment, deploy } from '../setup/apart.ts';
import { partsOf, readCompose } from '../setup/compose.ts';
import { GatewayClient, type Person } from '../setup/gateway.ts';
import { another, BROKEN_SUPERGRAPHS, GOOD_SUPERGRAPH, OLDER_SUPERGRAPH, swapIn } from '../setup/supergraphs.ts';

describe('Two gateways behind a proxy and every subgraph apart, as docker-compose.yml starts them', () => {
  let deployment: Deployment;
  /** At the first gateway, at the second, and at whichever the proxy chooses. */
  let one: GatewayClient;
  let two: GatewayClient;
  let front: GatewayClient;
  let password: string;

  beforeAll(async () => {
    deployment = await deploy();
    password = deployment.password;
    one = new GatewayClient(deployment.part('gateway-1').port);
    two = new GatewayClient(deployment.part('gateway-2').port);
    front = new GatewayClient(deployment.proxyPort);
  }, 120_000);

  afterAll(async () => {
    await Promise.all([one, two, front].map((client) => client?.close()));
    await deployment?.stop();
  }, 60_000);

  test('both are ready, and one query joins the subgraphs at each and through the proxy', async () => {
    for (const client of [one, two, front]) {
      const ready = await fetch(client.url.replace('/graphql', '/health/ready'));
      expect(await ready.json()).toMatchObject({ status: 'ready' });
      const mira = await client.signIn('mira@northwind.example', password);
      const { data, errors } = await mira.ask(
        '{ tenant { slug license { state } } customers(first: 2) { nodes { name services(first: 2) { nodes { number } } } } }',
      );
      expect(errors).toBeUndefined();
      expect(data).toMatchObject({ tenant: { slug: 'northwind', license: { state: 'ACTIVE' } } });
    }
  });

  test('a change at one is seen at the other: the next request, and its open stream within a second', async () => {
    const here = await one.signIn('wren@kestrel.example', password);
    const there = await two.signIn('wren@kestrel.example', password);
    const through = front.as(there.token);
    const streams = [there, through].map((person) =>
      person.follow<{ licenseUpdated: { kind: string; version: number } }, object>(
        'subscription { licenseUpdated { kind version } }',
      ),
    );
    let version = 0;
    for (const stream of streams) version = Number((await stream.next()).data?.licenseUpdated.version);
    expect((await there.ask('{ leads { nodes { number } } }')).status).toBe(402);

    const upgraded = await here.ask<
      { upgradeLicense: { propagation: { nodes: number; acknowledged: number; waitedMs: number } } },
      object
    >(
      'mutation($input: UpgradeLicenseInput!) { upgradeLicense(input: $input) { propagation { nodes acknowledged waitedMs } userErrors { message } } }',
      { input: { newPlan: 'professional', interval: 'MONTH', idempotencyKey: randomUUID() } },
    );
    expect(upgraded.data?.upgradeLicense.propagation).toMatchObject({ nodes: 2, acknowledged: 2 });
    const acknowledgedAt = Date.now();
    expect((await there.ask('{ leads { nodes { number } } }')).status).toBe(200);
    for (const stream of streams)
      expect((await stream.next()).data?.licenseUpdated).toEqual({ kind: 'DELTA', version: version + 1 });
    expect(Date.now() - acknowledgedAt).toBeLessThan(1_000);
    for (const stream of streams) await stream.stop();
  });

  test('events over SSE pass through the proxy one by one, as they happen', async () => {
    const wren = await front.signIn('wren@kestrel.example', password);
    const leaving = new AbortController();
    const response = await fetch(front.url, {
      method: 'POST',
      signal: leaving.signal,
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${wren.token}`,
      },
      body: JSON.stringify({ query: 'subscription { tenantUpdated { name } }' }),
    });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const decoder = new TextDecoder();
    let text = '';
    const until = async (name: string) => {
      while (!text.includes(`"name":"${name}"`)) text += decoder.decode((await reader.read()).value, { stream: true });
    };
    await until('Kestrel Wireless');
    for (const name of ['Kestrel', 'Kestrel Wireless']) {
      text = '';
      await wren.ask(`mutation { updateTenantProfile(input: { name: "${name}" }) { userErrors { message } } }`);
      await until(name);
    }
    leaving.abort();
  });

  test('a session ended at one is refused at the other within a second', async () => {
    const ada = await one.signIn('ada@kestrel.example', password);
    const elsewhere = two.as(ada.token);
    expect((await elsewhere.ask('{ tenant { slug } }')).status).toBe(200);
    await ada.ask('mutation { signOut { userErrors { code } } }');
    const until = Date.now() + 1_000;
    let status = 200;
    while (status === 200 && Date.now() < until) status = (await elsewhere.ask('{ tenant { slug } }')).status;
    expect(status).toBe(401);
  });

  test('who has used up their rate at one is refused at the other', async () => {
    const tomas = await one.signIn('ingrid@northwind.example', password);
    const elsewhere = two.as(tomas.token);
    const dear = '{ customers(first: 100) { nodes { name services(first: 50) { nodes { number } } } } }';
    const codeOf = async (person: Person) => (await person.ask(dear)).errors?.[0]?.extensions.code;
    expect(await codeOf(elsewhere)).toBeUndefined();
    let code: string | undefined;
    for (let i = 0; i < 100 && !code; i++) code = await codeOf(tomas);
    expect(code).toBe('RATE_LIMITED');
    expect(await codeOf(elsewhere)).toBe('RATE_LIMITED');
  });

  test('one trace runs from the gateway into each subgraph’s process and the job an event starts, and their logs name it', async () => {
    const ingrid = await one.signIn('ingrid@northwind.example', password);
    const traceId = randomUUID().replaceAll('-', '');
    const { data, errors } = await one.post<{ createCustomer: { userErrors: object[] } }>(
      'mutation Traced { createCustomer(input: { name: "Traced Bakery", kind: BUSINESS }) { customer { id } userErrors { message } } }',
      {},
      ingrid.token,
      { traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
    );
    expect(errors).toBeUndefined();
    expect(data?.createCustomer.userErrors).toEqual([]);
    const told = () => deployment.spans.filter((span) => span.traceId === traceId);
    const names = () => told().map(({ service, name }) => `${service}: ${name}`);
    const wanted = [
      'gateway: http',
      'gateway: fetch billing',
      'billing: subgraph billing',
      'billing: use case createCustomer',
      'billing: tx billing',
      'billing: sql',
      'crm: job crm.keepPrimaryContact',
    ];
    for (let i = 0; i < 120 && !wanted.every((name) => names().includes(name)); i++) await sleep(100);
    expect(names()).toEqual(expect.arrayContaining(wanted));
    const line = deployment
      .part('gateway-1')
      .log()
      .find(({ msg, traceId: logged }) => msg === 'request' && logged === traceId);
    expect(line).toMatchObject({ service: 'gateway', traceId });
  }, 30_000);

  test('every part tells its figures on its admin port, and none does where clients come in', async () => {
    for (const [name] of partsOf(readCompose())) {
      if (name === 'migrate') continue;
      const { adminPort, port } = deployment.part(name);
      const answer = await fetch(`http://127.0.0.1:${adminPort}/metrics`);
      expect(answer.headers.get('content-type')).toContain('text/plain');
      const text = await answer.text();
      expect(text).toContain('process_resident_memory_bytes');
      expect(text).toMatch(
        name.startsWith('gateway')
          ? /dotmac_gateway_subgraph_duration_seconds_count\{subgraph="billing",outcome="ok"\} [1-9]/
          : new RegExp(`dotmac_db_statement_duration_seconds_count{role="svc_${name}"} [1-9]`),
      );
      expect(text).toContain('dotmac_fan_out_up{engine="REDIS"} 1');
      expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(404);
    }
    expect((await fetch(front.url.replace('/graphql', '/metrics'))).status).toBe(404);
  });

  const ASKERS = 4;

  /** Asks through the proxy without a pause while something happens; answers what came back, in order. */
  async function askedMeanwhile(person: Person, happens: () => Promise<void>): Promise<unknown[]> {
    let isOver = false;
    const answers: unknown[] = [];
    const asking = Promise.all(
      Array.from({ length: ASKERS }, async () => {
        for (; !isOver; await sleep(10))
          answers.push(
            await person.ask('{ tenant { slug } }').then(
              ({ status, errors }) => (errors ? JSON.stringify(errors) : status),
              (error: Error) => String(error.cause ?? error),
            ),
          );
      }),
    );
    await sleep(200);
    await happens().finally(() => {
      isOver = true;
    });
    await asking;
    return answers;
  }

  test('a supergraph swapped twenty times under traffic, broken ones among them, fails no request; its new field answers', async () => {
    const wren = await front.signIn('wren@kestrel.example', password);
    const file = deployment.supergraphFile;
    const countryIs = async (wanted: string | undefined) => {
      const here = one.as(wren.token);
      for (let i = 0; ; i++) {
        const { data } = await here.ask<{ tenant: { country: string } }, object>('{ tenant { country } }');
        if (data?.tenant.country === wanted) return;
        if (i === 100) throw new Error(`The country is not ${wanted}.`);
        await sleep(50);
      }
    };
    const answers = await askedMeanwhile(wren, async () => {
      for (let i = 0; i < 20; i++) {
        const [text, wanted] = [
          [another(OLDER_SUPERGRAPH, i), undefined] as const,
          [BROKEN_SUPERGRAPHS[i % BROKEN_SUPERGRAPHS.length] as string, undefined] as const,
          [another(GOOD_SUPERGRAPH, i), 'US'] as const,
          [BROKEN_SUPERGRAPHS[i % BROKEN_SUPERGRAPHS.length] as string, 'US'] as const,
        ][i % 4] as readonly [string, string | undefined];
        swapIn(file, text);
        for (const name of ['gateway-1', 'gateway-2']) deployment.part(name).child.kill('SIGHUP');
        await sleep(250);
        await countryIs(wanted);
      }
      swapIn(file, GOOD_SUPERGRAPH);
      deployment.part('gateway-1').child.kill('SIGHUP');
      await countryIs('US');
    });
    expect([...new Set(answers)]).toEqual([200]);
    expect(answers.length).toBeGreaterThan(100);
  }, 60_000);

  test('a subgraph that dies costs its own fields only', async () => {
    const ingrid = await one.signIn('ingrid@northwind.example', password);
    await deployment.part('crm').end('SIGKILL');
    const { status, data, errors } = await ingrid.ask<{ tenant: object; leads: null }, object>(
      '{ tenant { slug } leads { nodes { number } } }',
    );
    expect(status).toBe(200);
    expect(data).toEqual({ tenant: { slug: 'northwind' }, leads: null });
    expect(errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual([
      [['leads'], 'SUBGRAPH_UNAVAILABLE'],
    ]);
    for (const client of [one, two, front]) {
      const ready = await fetch(client.url.replace('/graphql', '/health/ready'));
      expect(ready.status).toBe(200);
      expect(await ready.json()).toMatchObject({ status: 'degraded', subgraphs: { crm: false, billing: true } });
    }
  });

  test('a gateway that is killed costs what it was about to answer and nothing more; started again, it serves again', async () => {
    const wren = await front.signIn('wren@kestrel.example', password);
    const answers = await askedMeanwhile(wren, async () => {
      await deployment.part('gateway-2').end('SIGKILL');
      await sleep(500);
      await deployment.restart('gateway-2');
    });
    const lost = answers.filter((answer) => answer !== 200);
    expect(lost.length).toBeLessThanOrEqual(ASKERS);
    expect(answers.length).toBeGreaterThan(50);
    expect((await two.as(wren.token).ask('{ tenant { slug } }')).status).toBe(200);
  }, 30_000);

  test('a gateway told to go finishes what it has begun, tells its streams, and leaves; nobody’s request fails', async () => {
    const wren = await front.signIn('wren@kestrel.example', password);
    const stream = one.as(wren.token).follow('subscription { tenantUpdated { name } }');
    await stream.next();
    const ended = stream.done.then(
      () => 'completed',
      (error: { code?: number }) => error.code ?? error,
    );
    const answers = await askedMeanwhile(wren, async () => {
      const begun = Date.now();
      expect(await deployment.part('gateway-1').end('SIGTERM')).toBe(0);
      expect(Date.now() - begun).toBeLessThan(15_000);
      await sleep(500);
    });
    expect([...new Set(answers)]).toEqual([200]);
    expect([1001, 'completed']).toContain(await ended);
  }, 30_000);

  test('every part that is told to go leaves by itself', async () => {
    const parts = partsOf(readCompose())
      .map(([name]) => name)
      .filter((name) => !['migrate', 'crm', 'gateway-1'].includes(name));
    const codes = await Promise.all(
      parts.map(async (name) => [name, await deployment.part(name).end('SIGTERM')] as const),
    );
    expect(codes.filter(([, code]) => code !== 0)).toEqual([]);
  }, 30_000);
});
