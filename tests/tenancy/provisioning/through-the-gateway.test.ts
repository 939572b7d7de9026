import { randomUUID } from 'node:crypto';
import { letHostPass } from '../../../subgraphs/_kernel/dns.ts';
import { openGatewayWorld, type Person } from '../../setup/gateway.ts';
import { DOORS, followOver } from '../../setup/streams.ts';
import {
  aRequest,
  begin as beginFor,
  cancel,
  firstSignIn,
  follow,
  letTimePass,
  NOTHING,
  PROGRESS,
  type Progress,
  progressUntil,
  requestTenant,
  retry,
  traceOf,
  until,
  WHOLE,
} from './trial.ts';

const SHARED = ['reserve', 'place', 'seed', 'license', 'account', 'admin', 'domain', 'verify', 'activate'];

let running: Awaited<ReturnType<typeof openGatewayWorld>>;
let ngozi: Person;
let sql: typeof running.world.sql;
beforeAll(async () => {
  running = await openGatewayWorld();
  sql = running.world.sql;
  ngozi = await running.client.signIn('ngozi@platform.example', running.password);
}, 60_000);
afterAll(() => running?.close());

const begin = (given: Record<string, unknown> = {}) => beginFor(ngozi, given);
const endOf = (runId: string, after?: number) =>
  progressUntil(ngozi, { runId, ...(after === undefined ? {} : { after }) });

describe('Ngozi sets up an ISP', () => {
  test('each step is seen in its order up to 100 percent, and there is one of everything', async () => {
    const { runId, run, tenantId } = await begin();
    expect(run).toMatchObject({ seq: 1, state: 'PENDING', percent: 0, currentStep: 'reserve' });
    const told = await endOf(runId, 0);
    expect(told.map(({ seq }) => seq)).toEqual(told.map((_, i) => i + 1));
    expect([...new Set(told.map(({ currentStep }) => currentStep))]).toEqual([...SHARED, null]);
    expect(told.at(-1)).toMatchObject({ state: 'SUCCEEDED', percent: 100, error: null, tenant: { state: 'ACTIVE' } });
    const skipped = told.at(-1)?.steps.filter(({ state }) => state === 'SKIPPED');
    expect(skipped?.map(({ name }) => name)).toEqual(['database', 'migrate', 'deploy']);
    expect(await traceOf(sql, tenantId)).toEqual(WHOLE);
    const asked = await ngozi.ask<{ provisioning: Progress }, object>(
      `query($id: ID!) { provisioning(runId: $id) { ${PROGRESS} } }`,
      { id: runId },
    );
    expect(asked.data?.provisioning).toEqual(told.at(-1));
  });

  test('its administrator signs in, has the plan, and sees nobody else’s anything', async () => {
    const { asked, runId } = await begin();
    await endOf(runId);
    const rita = await firstSignIn(running, asked);
    const { data, errors } = await rita.ask<Record<string, { nodes: unknown[] }>, object>(
      `{ tenant { slug state license { state } } members(first: 100) { nodes { user { displayName } } }
         customers(first: 100) { nodes { id } } devices(first: 100) { nodes { id } } tickets(first: 100) { nodes { id } } }`,
    );
    expect(errors).toBeUndefined();
    expect(data).toMatchObject({
      tenant: { slug: asked.slug, state: 'ACTIVE', license: { state: 'ACTIVE' } },
      members: { nodes: [{ user: { displayName: 'Rita Reef' } }] },
    });
    for (const list of ['customers', 'devices', 'tickets']) expect(data?.[list]?.nodes).toEqual([]);
    const foreign = await rita.ask(`query($id: ID!) { provisioning(runId: $id) { ${PROGRESS} } }`, { id: runId });
    expect(foreign.data).toEqual({ provisioning: null });
    expect((await requestTenant(rita, aRequest()).catch((error: Error) => error.message)) as string).toContain(
      'FORBIDDEN',
    );
  });

  test('somebody who works elsewhere already gets a second tenant, not a second account', async () => {
    const { runId, tenantId } = await begin({ admin: { name: 'Wren Castillo', email: 'wren@kestrel.example' } });
    await endOf(runId);
    const [wren] = await sql('select state, user_id from identity.membership where tenant_id = $1', [tenantId]);
    expect(wren).toMatchObject({ state: 'ACTIVE', user_id: '01990000-0000-7000-8000-000000006011' });
  });

  test('the same key again is the same run; with another body it is refused', async () => {
    const asked = aRequest();
    const [first, second] = await Promise.all([requestTenant(ngozi, asked), requestTenant(ngozi, asked)]);
    const answers = [first, second, await requestTenant(ngozi, asked)];
    const runs = answers.flatMap(({ run }) => (run ? [run.runId] : []));
    expect(new Set(runs).size).toBe(1);
    for (const { userErrors } of answers) if (userErrors[0]) expect(userErrors[0].code).toBe('IDEMPOTENCY_IN_PROGRESS');
    const other = await requestTenant(ngozi, { ...asked, slug: `${asked.slug}-b` });
    expect(other).toMatchObject({ run: null, userErrors: [{ code: 'IDEMPOTENCY_MISMATCH' }] });
    expect(await sql('select count(*)::int as n from tenancy.provisioning_run where id = $1', [runs[0]])).toEqual([
      { n: 1 },
    ]);
    await endOf(runs[0] as string);
  });
});

describe('what cannot be asked for', () => {
  test.each([
    ['Kestrel', 'INVALID', 'A short name has 3 to 30 letters, digits and single hyphens.'],
    ['a', 'INVALID', 'A short name has 3 to 30 letters, digits and single hyphens.'],
    ['a--b', 'INVALID', 'A short name has 3 to 30 letters, digits and single hyphens.'],
    ['admin', 'CONFLICT', 'This short name is not available.'],
    ['kestrel', 'CONFLICT', 'This short name is not available.'],
  ])('the short name %s', async (slug, code, message) => {
    expect(await requestTenant(ngozi, aRequest({ slug }))).toEqual({
      ...{ run: null, userErrors: [{ code, message, field: 'slug' }] },
    });
  });

  test.each([
    ['country', { country: 'XX' }],
    ['currency', { currency: 'DEM' }],
    ['region', { region: 'moon' }],
  ])('an unknown %s', async (field, wrong) => {
    expect(await requestTenant(ngozi, aRequest(wrong))).toMatchObject({ userErrors: [{ code: 'INVALID', field }] });
  });

  test('an unknown zone', async () => {
    const answer = await requestTenant(ngozi, aRequest({ zone: 'Europe/Atlantis' })).catch(({ message }) => message);
    expect(JSON.stringify(answer)).toMatch(/zone|BAD_USER_INPUT/);
  });

  test('of two who want one short name at once one gets it', async () => {
    const slug = aRequest().slug;
    const answers = await Promise.all(Array.from({ length: 4 }, () => requestTenant(ngozi, aRequest({ slug }))));
    expect(answers.filter(({ run }) => run)).toHaveLength(1);
    for (const { userErrors } of answers) if (userErrors[0]) expect(userErrors[0]).toMatchObject({ code: 'CONFLICT' });
  });

  test('a foreign or unknown run looks like none', async () => {
    for (const id of [randomUUID(), 'no id', '01990000-0000-7000-8000-000000000a01']) {
      for (const move of [retry, cancel])
        expect(await move(ngozi, id)).toMatchObject({ run: null, userErrors: [{ code: 'NOT_FOUND', field: 'runId' }] });
      const { data } = await ngozi.ask(`query($id: ID!) { provisioning(runId: $id) { seq } }`, { id });
      expect(data).toEqual({ provisioning: null });
    }
    const { data } = await running.client.post('query($id: ID!) { provisioning(runId: $id) { seq } }', {
      id: randomUUID(),
    });
    expect(data).toEqual({ provisioning: null });
  });
});

describe('a run that fails', () => {
  test('is undone in reverse with nothing left, and succeeds once what stopped it is away', async () => {
    const slug = `refuse-dns-${process.pid}`;
    const { runId, tenantId } = await begin({ slug });
    const passing = setInterval(() => void letTimePass(sql).catch(() => undefined), 300);
    const told = await endOf(runId, 0).finally(() => clearInterval(passing));
    expect(told.map(({ seq }) => seq)).toEqual(told.map((_, i) => i + 1));
    expect(told.at(-1)).toMatchObject({
      ...{ state: 'FAILED', error: 'The name server refuses this host.', percent: 0, tenant: { state: 'FAILED' } },
    });
    const steps = new Map(told.at(-1)?.steps.map((step) => [step.name, step]));
    expect(steps.get('domain')).toMatchObject({ state: 'FAILED', attempts: 4 });
    const undone = told.map(({ steps: all }) => all.filter(({ state }) => state === 'UNDONE').map(({ name }) => name));
    const order = undone.flatMap((now, i) => now.filter((name) => !undone[i - 1]?.includes(name)));
    expect(order).toEqual(['admin', 'account', 'license', 'seed', 'place', 'reserve']);
    expect(await traceOf(sql, tenantId)).toEqual(NOTHING);
    expect(await sql('select id from identity.user where email = $1', [`rita@${slug}.example`])).toEqual([]);

    const later = await endOf(runId, 5);
    expect(later.map(({ seq }) => seq)).toEqual(told.slice(5).map(({ seq }) => seq));
    expect((await requestTenant(ngozi, aRequest({ slug }))).userErrors[0]).toMatchObject({ code: 'CONFLICT' });

    letHostPass(`${slug}.isp.example`);
    const again = await retry(ngozi, runId);
    expect(again.userErrors).toEqual([]);
    expect(again.run?.runId).not.toBe(runId);
    expect(await retry(ngozi, runId)).toMatchObject({ userErrors: [{ code: 'CONFLICT' }] });
    expect((await endOf(again.run?.runId as string)).at(-1)).toMatchObject({ state: 'SUCCEEDED', percent: 100 });
    expect(await traceOf(sql, tenantId)).toEqual(WHOLE);
    for (const move of [retry, cancel])
      expect(await move(ngozi, again.run?.runId as string)).toMatchObject({
        userErrors: [{ code: 'INVALID_STATE', message: 'This tenant is already active.' }],
      });
  }, 60_000);

  test('for want of a plan that exists is undone when nobody has answered for two minutes', async () => {
    const { runId, tenantId } = await begin({ plan: 'gold' });
    const passing = setInterval(() => void letTimePass(sql).catch(() => undefined), 300);
    const told = await endOf(runId).finally(() => clearInterval(passing));
    expect(told.at(-1)).toMatchObject({ state: 'FAILED', error: 'Nobody answered for the step license.' });
    expect(told.at(-1)?.steps.find(({ name }) => name === 'license')).toMatchObject({ state: 'FAILED', attempts: 4 });
    expect(await traceOf(sql, tenantId)).toEqual(NOTHING);
  }, 60_000);

  test('by wish is undone as well', async () => {
    const { runId, tenantId } = await begin({ plan: 'silver' });
    await until(follow(ngozi, { runId }), ['WAITING']);
    const { run, userErrors } = await cancel(ngozi, runId);
    expect(userErrors).toEqual([]);
    expect(run).toMatchObject({ state: 'COMPENSATING', error: 'Cancelled.' });
    expect((await endOf(runId)).at(-1)).toMatchObject({ state: 'FAILED', error: 'Cancelled.' });
    expect(await traceOf(sql, tenantId)).toEqual(NOTHING);
    expect(await cancel(ngozi, runId)).toMatchObject({ userErrors: [{ code: 'INVALID_STATE' }] });
  }, 60_000);
});

describe('who follows a run', () => {
  test.each(
    DOORS,
  )('over %s sees how it stands and then every change, and nothing twice after a break', async (door) => {
    const { runId } = await begin();
    const query = (after: number | null) =>
      `subscription { provisioningProgress(runId: "${runId}", after: ${after}) { seq state } }`;
    const seen: number[] = [];
    let last = '';
    while (last !== 'SUCCEEDED') {
      const stream = await followOver(door, {
        url: running.client.url,
        token: ngozi.token,
        query: query(seen.at(-1) ?? 0),
      });
      for (let i = 0; i < 4 && last !== 'SUCCEEDED'; i++) {
        const { data } = (await stream.next()) as { data: { provisioningProgress: { seq: number; state: string } } };
        seen.push(data.provisioningProgress.seq);
        last = data.provisioningProgress.state;
      }
      await stream.stop();
    }
    expect(seen).toEqual(seen.map((_, i) => i + 1));
  });

  test('without a right to is refused, whether there is such a run or not', async () => {
    const { runId } = await begin();
    const wren = await running.client.signIn('wren@kestrel.example', running.password);
    for (const id of [runId, randomUUID()]) {
      const stream = follow(wren, { runId: id });
      const { errors } = await stream.next().catch((error) => ({ errors: error as never }));
      expect(JSON.stringify(errors ?? (await stream.done.catch((error) => error)))).toContain('FORBIDDEN');
    }
    await endOf(runId);
  });
});
