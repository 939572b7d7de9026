import { openGatewayWorld, type Person } from '../../setup/gateway.ts';
import { tokenIn } from '../../setup/mails.ts';
import { type Answer, aRequest, follow, letTimePass, PROGRESS, requestTenant, traceOf, until, WHOLE } from './trial.ts';

let running: Awaited<ReturnType<typeof openGatewayWorld>>;
let ngozi: Person;
let sql: typeof running.world.sql;
beforeAll(async () => {
  running = await openGatewayWorld();
  sql = running.world.sql;
  ngozi = await running.client.signIn('ngozi@platform.example', running.password);
}, 60_000);
afterAll(() => running?.close());
/** Everybody here asks from one address; each test begins as a day later. */
beforeEach(() => sql('delete from tenancy.asked_count'));

const ask = async <T>(query: string, input: object) => {
  const { data, errors } = await running.client.post<Record<string, T>>(query, { input });
  return { answer: Object.values(data ?? {})[0] as T, error: errors?.[0] };
};

const asked = (given: object = {}) => {
  const { slug, admin } = aRequest();
  return {
    ...{ slug, name: 'Reef Net', adminName: admin.name, adminEmail: admin.email, country: 'DE', zone: 'Europe/Berlin' },
    ...{ plan: 'starter', termsVersion: '2027-01', ...given },
  };
};
type SignedUp = { expiresAt: string | null; userErrors: { code: string; message: string; field: string }[] };
const signUp = (input: object) =>
  ask<SignedUp>(
    'mutation($input: SignUpInput!) { signUp(input: $input) { expiresAt userErrors { code message field } } }',
    input,
  );
const confirm = (token: string) =>
  ask<Answer>(
    `mutation($input: ConfirmSignUpInput!) { confirmSignUp(input: $input) { run { ${PROGRESS} } ticket userErrors { code message field } } }`,
    { token },
  );
const isAvailable = async (slug: string) =>
  running.client.post<{ slugAvailable: boolean }, object>('query($slug: String!) { slugAvailable(slug: $slug) }', {
    slug,
  });
const stateOf = async (slug: string) => (await sql('select id, state from tenancy.tenant where slug = $1', [slug]))[0];

describe('somebody who signs up', () => {
  test('gets a mail, follows their own run with a ticket and no account, and has a tenant on trial', async () => {
    const input = asked();
    expect((await isAvailable(input.slug)).data).toEqual({ slugAvailable: true });
    const { answer } = await signUp(input);
    expect(answer.userErrors).toEqual([]);
    expect(Date.parse(String(answer.expiresAt)) - Date.now()).toBeGreaterThan(86_000_000);
    expect((await isAvailable(input.slug)).data).toEqual({ slugAvailable: false });
    expect((await stateOf(input.slug)).state).toBe('REQUESTED');

    const [mail] = await running.world.mails(input.adminEmail);
    const token = tokenIn(mail);
    const { answer: begun } = await confirm(token);
    expect(begun.userErrors).toEqual([]);
    const runId = String(begun.run?.runId);
    const ticket = String(begun.ticket);
    const nobody = { follow: running.client.follow.bind(running.client, undefined) } as Pick<Person, 'follow'>;
    const told = await until(follow(nobody, { runId, ticket, after: 0 }));
    expect(told.map(({ seq }) => seq)).toEqual(told.map((_, i) => i + 1));
    expect(told.at(-1)).toMatchObject({ state: 'SUCCEEDED', percent: 100, tenant: { slug: input.slug } });
    const { id } = await stateOf(input.slug);
    expect(await traceOf(sql, id)).toEqual(WHOLE);
    expect(
      await sql('select trial_ends_at is not null as is_trial from licensing.license where tenant_id = $1', [id]),
    ).toEqual([{ is_trial: true }]);

    const { answer: again } = await confirm(token);
    expect(again).toMatchObject({ ticket, run: { runId }, userErrors: [] });
    const query = 'query($runId: ID!, $ticket: String) { provisioning(runId: $runId, ticket: $ticket) { state } }';
    for (const wrong of [null, token, `${ticket.slice(0, -1)}A`, ''])
      if (wrong !== ticket)
        expect((await running.client.post(query, { runId, ticket: wrong })).data).toEqual({ provisioning: null });
    expect((await running.client.post(query, { runId, ticket })).data).toEqual({
      provisioning: { state: 'SUCCEEDED' },
    });
    const kept = await sql('select wanted, token_hash, state from tenancy.sign_up where tenant_id = $1', [id]);
    expect(kept).toMatchObject([{ wanted: null, state: 'CONFIRMED' }]);
    expect(
      JSON.stringify([kept, await sql('select payload, personal from kernel.event where tenant_id = $1', [id])]),
    ).not.toContain(token);
  });

  test('hears the same whether their mail is known or not', async () => {
    const [known, unknown] = [
      await signUp(asked({ adminEmail: 'wren@kestrel.example' })),
      await signUp(asked({ adminEmail: 'nobody@nowhere.example' })),
    ];
    for (const { answer } of [known, unknown]) expect(answer.userErrors).toEqual([]);
    expect(Object.keys(known.answer)).toEqual(Object.keys(unknown.answer));
    expect(await running.world.mails('nobody@nowhere.example')).toHaveLength(1);
    expect(await running.world.mails('wren@kestrel.example')).toHaveLength(1);
  });

  test('and never answers the mail gives the short name back after a day', async () => {
    const input = asked();
    await signUp(input);
    const token = tokenIn((await running.world.mails(input.adminEmail))[0]);
    const { id } = await stateOf(input.slug);
    await sql(
      `update tenancy.sign_up set expires_at = now() where tenant_id = $1 and set_config('app.tenant_id', $1::text, true) is not null`,
      [id],
    );
    expect((await confirm(token)).answer.userErrors).toEqual([
      { code: 'INVALID', message: 'This link no longer works.', field: 'token' },
    ]);
    await sweep('lapseSignUps');
    expect((await isAvailable(input.slug)).data).toEqual({ slugAvailable: true });
    expect(await sql('select state from tenancy.tenant where id = $1', [id])).toEqual([{ state: 'FAILED' }]);
    expect((await confirm(token)).answer.userErrors[0]).toMatchObject({ code: 'INVALID' });
    expect((await confirm('made up')).answer.userErrors[0]).toMatchObject({ code: 'INVALID' });
  });

  test('five times an hour from one address, and three times a day with one mail, is told to wait', async () => {
    for (let i = 0; i < 3; i++)
      expect((await signUp(asked({ adminEmail: 'often@reef.example' }))).error).toBeUndefined();
    const fourth = await signUp(asked({ adminEmail: 'often@reef.example' }));
    expect(fourth.error?.extensions).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: expect.any(Number) });
    expect((await signUp(asked())).error).toBeUndefined();
    expect((await signUp(asked())).error?.extensions.code).toBe('RATE_LIMITED');
  });

  test('asks for 30 short names a minute', async () => {
    for (let i = 0; i < 30; i++) expect((await isAvailable(`reef-${i}`)).errors).toBeUndefined();
    expect((await isAvailable('reef-31')).errors?.[0]?.extensions.code).toBe('RATE_LIMITED');
  });

  test('may not have the short name of a tenant that is gone', async () => {
    const { slug } = asked();
    await sql(
      `insert into tenancy.tombstone (id, slug_hash, certificate_id, certificate)
       values (gen_random_uuid(), encode(sha256(convert_to($1, 'UTF8')), 'hex'), gen_random_uuid(), '')`,
      [slug],
    );
    expect((await isAvailable(slug)).data).toEqual({ slugAvailable: false });
    expect((await signUp(asked({ slug }))).answer.userErrors[0]).toMatchObject({ code: 'CONFLICT', field: 'slug' });
  });

  test.each([
    ['a--b', 'INVALID'],
    ['admin', 'CONFLICT'],
    ['northwind', 'CONFLICT'],
  ])('as %s is refused', async (slug, code) => {
    expect((await signUp(asked({ slug }))).answer).toMatchObject({
      expiresAt: null,
      userErrors: [{ code, field: 'slug' }],
    });
    expect((await isAvailable(slug)).data).toEqual({ slugAvailable: false });
  });
});

const sweep = async (cron: string) => {
  const ctx = await running.world.system('platform', 'tenancy');
  await running.world.subgraph('tenancy').subgraph.definition.crons?.[cron]?.run(ctx);
};

test('the short name of a tenant that failed is kept for a week, and then another may have it', async () => {
  const { run } = await requestTenant(ngozi, aRequest({ plan: 'gold' }));
  const { runId, tenant } = run as NonNullable<typeof run>;
  const passing = setInterval(() => void letTimePass(sql).catch(() => undefined), 300);
  await until(follow(ngozi, { runId })).finally(() => clearInterval(passing));
  await sweep('lapseSignUps');
  expect((await isAvailable(String(tenant?.slug))).data).toEqual({ slugAvailable: false });
  await sql(
    `update tenancy.provisioning_run set moved_at = now() - interval '8 days' where id = $1
        and set_config('app.tenant_id', tenant_id::text, true) is not null`,
    [runId],
  );
  await sweep('lapseSignUps');
  expect((await isAvailable(String(tenant?.slug))).data).toEqual({ slugAvailable: true });
}, 60_000);

describe('a sandbox', () => {
  type Made = { createSandbox: Answer };
  const create = async (input: object) => {
    const query = `mutation($input: SandboxInput!) { createSandbox(input: $input) { run { ${PROGRESS} } userErrors { code message field } } }`;
    return (await ngozi.ask<Made, object>(query, { input })).data?.createSandbox as Answer;
  };
  const dispose = async (tenantId: string) => {
    const query =
      'mutation($input: DisposeSandboxInput!) { disposeSandbox(input: $input) { tenant { state closesAt } userErrors { code message } } }';
    return (await ngozi.ask<{ disposeSandbox: object }, object>(query, { input: { tenantId } })).data?.disposeSandbox;
  };

  test('has a licence and its maker as administrator, its clock moves, and its days are of true time', async () => {
    const { slug } = aRequest();
    const { run } = await create({ slug, plan: 'starter', days: 3 });
    const told = await until(follow(ngozi, { runId: String(run?.runId) }));
    expect(told.at(-1)).toMatchObject({ state: 'SUCCEEDED', tenant: { slug, state: 'ACTIVE' } });
    const id = String(run?.tenant?.id);
    expect(
      await sql("select user_id, state from identity.membership where tenant_id = $1 and kind = 'STAFF'", [id]),
    ).toEqual([{ user_id: '01990000-0000-7000-8000-000000006001', state: 'ACTIVE' }]);
    const moved = await ngozi.ask(
      'mutation($input: AdvanceClockInput!) { advanceClock(input: $input) { tenant { clockOffsetSeconds } userErrors { code } } }',
      { input: { tenantId: id, by: 'P40D' } },
    );
    expect(moved.data).toMatchObject({ advanceClock: { userErrors: [] } });
    await running.world.untilNoJobs();
    const [license] = await sql('select state from kernel.tenant_profile where tenant_id = $1', [id]);
    expect(license.state).toBe('ACTIVE');
    await sweep('closeSandboxes');
    expect((await stateOf(slug)).state).toBe('ACTIVE');
    await sql(
      `update tenancy.tenant set sandbox_ends_at = now() where id = $1 and set_config('app.tenant_id', $1::text, true) is not null`,
      [id],
    );
    await sweep('closeSandboxes');
    expect((await stateOf(slug)).state).toBe('CLOSING');
  }, 60_000);

  test('may be closed before its time, and no other tenant like it', async () => {
    const { slug } = aRequest();
    const { run } = await create({ slug, plan: 'starter' });
    await until(follow(ngozi, { runId: String(run?.runId) }));
    expect(await dispose(String(run?.tenant?.id))).toMatchObject({ tenant: { state: 'CLOSING' }, userErrors: [] });
    expect(await dispose(String(run?.tenant?.id))).toMatchObject({ userErrors: [{ code: 'INVALID_STATE' }] });
    expect(await dispose('01990000-0000-7000-8000-000000000a01')).toMatchObject({
      ...{ tenant: null, userErrors: [{ code: 'INVALID_STATE', message: 'Only a sandbox is disposed of like this.' }] },
    });
  });

  test.each([[0], [15], [-1]])('of %d days is refused', async (days) => {
    expect(await create({ slug: aRequest().slug, plan: 'starter', days })).toMatchObject({
      ...{ run: null, userErrors: [{ code: 'INVALID', message: 'A sandbox lives 1 to 14 days.', field: 'days' }] },
    });
  });
});
