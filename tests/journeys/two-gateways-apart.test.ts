import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { SUBGRAPHS } from '../../subgraphs/index.ts';
import { createTestDatabase, type TestDatabase, testConfig } from '../setup/database.ts';
import { GatewayClient } from '../setup/gateway.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** Starts one part as `docker-compose.yml` does and answers the port it logs. */
function part(args: string[], env: Record<string, string>, children: ChildProcess[]): Promise<number> {
  const child = spawn(process.execPath, ['--import', './run.mjs', ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, NODE_ENV: 'test', HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'info', ...env },
  });
  children.push(child);
  let text = '';
  return new Promise((done, fail) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        text += chunk;
        const port = /"url":"http:\/\/127\.0\.0\.1:(\d+)\/graphql"/.exec(text)?.[1] ?? /"port":(\d+)/.exec(text)?.[1];
        if (port) done(Number(port));
      });
    child.on('exit', (code) => fail(new Error(`${args.join(' ')} ended with ${code}:\n${text}`)));
  });
}

/** Ends a part and waits until it is gone; one that does not go within ten seconds is killed. */
function endOf(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((done) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    child.once('exit', () => {
      clearTimeout(timer);
      done();
    });
    child.kill(signal);
  });
}

describe('Two gateways and every subgraph apart, over HTTP, on one database', () => {
  const children: ChildProcess[] = [];
  let database: TestDatabase;
  let clients: GatewayClient[] = [];
  let password: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    const config = testConfig(database.url);
    password = String(config.SEED_PASSWORD);
    const env = {
      DATABASE_URL: database.url,
      DATABASE_ROLE_SECRET: config.DATABASE_ROLE_SECRET,
      ENVELOPE_PRIVATE_KEY: config.ENVELOPE_PRIVATE_KEY,
      ENVELOPE_PUBLIC_KEYS: config.ENVELOPE_PUBLIC_KEYS.join(','),
      IDENTITY_DATA_KEY: config.IDENTITY_DATA_KEY,
      IDENTITY_MAC_KEY: config.IDENTITY_MAC_KEY,
      DATABASE_POOL: '4',
    };
    const urls: string[] = [];
    for (const { name } of SUBGRAPHS)
      urls.push(`${name}=http://127.0.0.1:${await part(['subgraphs/serve.main.ts', name], env, children)}/graphql`);
    const ports = await Promise.all(
      [1, 2].map(() => part(['gateway/index.ts', '--apart'], { ...env, SUBGRAPH_URLS: urls.join(',') }, children)),
    );
    clients = ports.map((port) => new GatewayClient(port));
  }, 120_000);

  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()));
    for (const child of children.reverse()) await endOf(child, 'SIGTERM');
    await database?.drop();
  }, 60_000);

  test('both are ready, and one query joins the subgraphs at each', async () => {
    for (const client of clients) {
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
    const [one, two] = clients as [GatewayClient, GatewayClient];
    const here = await one.signIn('wren@kestrel.example', password);
    const there = await two.signIn('wren@kestrel.example', password);
    const stream = there.follow<{ licenseUpdated: { kind: string; version: number } }, object>(
      'subscription { licenseUpdated { kind version } }',
    );
    const version = Number((await stream.next()).data?.licenseUpdated.version);
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
    expect((await stream.next()).data?.licenseUpdated).toEqual({ kind: 'DELTA', version: version + 1 });
    expect(Date.now() - acknowledgedAt).toBeLessThan(1_000);
    await stream.stop();
  });

  test('a session ended at one is refused at the other within a second', async () => {
    const [one, two] = clients as [GatewayClient, GatewayClient];
    const ada = await one.signIn('ada@kestrel.example', password);
    const elsewhere = two.as(ada.token);
    expect((await elsewhere.ask('{ tenant { slug } }')).status).toBe(200);
    await ada.ask('mutation { signOut { userErrors { code } } }');
    const until = Date.now() + 1_000;
    let status = 200;
    while (status === 200 && Date.now() < until) status = (await elsewhere.ask('{ tenant { slug } }')).status;
    expect(status).toBe(401);
  });

  test('a subgraph that dies costs its own fields only', async () => {
    const [one] = clients as [GatewayClient];
    const ingrid = await one.signIn('ingrid@northwind.example', password);
    const crm = children[SUBGRAPHS.findIndex(({ name }) => name === 'crm')] as ChildProcess;
    await endOf(crm, 'SIGKILL');
    const { status, data, errors } = await ingrid.ask<{ tenant: object; leads: null }, object>(
      '{ tenant { slug } leads { nodes { number } } }',
    );
    expect(status).toBe(200);
    expect(data).toEqual({ tenant: { slug: 'northwind' }, leads: null });
    expect(errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual([
      [['leads'], 'SUBGRAPH_UNAVAILABLE'],
    ]);
  });
});
