import { once } from 'node:events';
import { request } from 'node:http';
import WebSocket from 'ws';
import { publishRecord, setRecords } from '../../../subgraphs/_kernel/dns.ts';
import { checkDueDomains } from '../../../subgraphs/tenancy/domains/check-domain.service.ts';
import { openGatewayWorld, type Person, type Response } from '../../setup/gateway.ts';

const ROW = 'domain { id host kind state certificate isPrimary recordName recordValue }';
const ERRORS = 'userErrors { code message field }';
const door = (name: string, type = 'DomainInput') =>
  `mutation($input: ${type}!) { ${name}(input: $input) { ${ROW} ${ERRORS} } }`;
const [ADD, CHECK, PRIMARY, REMOVE] = [
  door('addDomain', 'AddDomainInput'),
  door('checkDomain'),
  door('setPrimaryDomain'),
  door('removeDomain'),
];

interface Row {
  id: string;
  host: string;
  kind: string;
  state: string;
  certificate: string;
  isPrimary: boolean;
  recordName: string;
  recordValue: string;
}
interface Answer {
  domain: Row | null;
  userErrors: { code: string; message: string; field: string | null }[];
}

describe('A tenant is reached under a domain of its own', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let ingrid: Person;
  let bruno: Person;
  let wren: Person;
  beforeAll(async () => {
    running = await openGatewayWorld();
    const signIn = (mail: string) => running.client.signIn(`${mail}.example`, running.password);
    [ingrid, bruno, wren] = await Promise.all([
      signIn('ingrid@northwind'),
      signIn('bruno@atlas'),
      signIn('wren@kestrel'),
    ]);
  });
  afterAll(() => running?.close());

  const ask = (who: Person, document: string, input: object) =>
    who.ask<Record<string, Answer>, object>(document, { input });
  const answerOf = ({ data, errors }: Response<Record<string, Answer>>): Answer => {
    if (!data) throw new Error(JSON.stringify(errors));
    return Object.values(data)[0] as Answer;
  };
  const add = async (who: Person, host: string, method = 'DNS_TXT') => answerOf(await ask(who, ADD, { host, method }));
  const on = async (who: Person, document: string, domainId: string | undefined) =>
    answerOf(await ask(who, document, { domainId }));
  const domains = async (who: Person) =>
    (
      await who.ask<{ tenant: { domains: Row[] } }, object>(
        '{ tenant { domains { id host kind state certificate isPrimary } } }',
      )
    ).data?.tenant.domains ?? [];
  /** Lets the scheduled checks of a host come due, as if that much time had passed. */
  const sweep = async (tenant: string, host: string, hoursOfExpiry = 0) => {
    await running.world.sql(
      `select set_config('app.tenant_id', '01990000-0000-7000-8000-000000000${tenant}', false);
       update tenancy.tenant_domain set next_check_at = now() - interval '1 second',
         expires_at = expires_at - make_interval(hours => ${hoursOfExpiry}) where host = '${host}' and tenant_id::text like '%${tenant}' and next_check_at is not null`,
    );
    await checkDueDomains(await running.world.system('platform', 'tenancy'));
  };
  /** One request under a name of the gateway. */
  const under = (
    host: string,
    token: string,
  ): Promise<{ status: number; body: { data?: object; errors?: { extensions: object }[] } }> =>
    new Promise((resolve, reject) => {
      const { port } = new URL(running.client.url);
      const sent = request(
        {
          host: '127.0.0.1',
          port,
          path: '/graphql',
          method: 'POST',
          headers: { host, 'content-type': 'application/json', authorization: `Bearer ${token}` },
        },
        (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part) => parts.push(part));
          response.on('end', () =>
            resolve({ status: Number(response.statusCode), body: JSON.parse(Buffer.concat(parts).toString()) }),
          );
        },
      );
      sent.on('error', reject);
      sent.end(JSON.stringify({ query: '{ tenant { slug } }' }));
    });
  const MISMATCH = { code: 'FORBIDDEN', reason: 'HOST_MISMATCH' };

  test('the example world has the names below the platform’s, one that is served and one that is claimed', async () => {
    expect(await domains(wren)).toMatchObject([{ host: 'kestrel.isp.example', state: 'ACTIVE', isPrimary: false }]);
    expect(await domains(ingrid)).toMatchObject([
      { host: 'northwind.isp.example', state: 'ACTIVE' },
      { host: 'portal.northwind.example', state: 'ACTIVE', certificate: 'ISSUED' },
    ]);
    expect(await domains(bruno)).toMatchObject([
      { host: 'atlas.isp.example', state: 'ACTIVE' },
      { host: 'clientes.atlas.example', state: 'PENDING', certificate: 'NONE' },
    ]);
  });

  test('a token used under another tenant’s domain is refused; under one’s own and the gateway’s it is good', async () => {
    expect((await under('portal.northwind.example', ingrid.token)).body).toMatchObject({
      data: { tenant: { slug: 'northwind' } },
    });
    const foreign = await under('Portal.Northwind.example:443', wren.token);
    expect(foreign.body.data).toBeUndefined();
    expect(foreign.body.errors?.[0]?.extensions).toMatchObject(MISMATCH);
    expect((await under('northwind.isp.example', wren.token)).body.errors?.[0]?.extensions).toMatchObject(MISMATCH);
    for (const host of ['localhost', '127.0.0.1', 'nobodys.example', 'clientes.atlas.example'])
      expect((await under(host, wren.token)).body).toMatchObject({ data: { tenant: { slug: 'kestrel' } } });
  });

  test('nor does a socket open with it under another tenant’s domain', async () => {
    const opened = async (host: string) => {
      const socket = new WebSocket(running.client.url.replace('http', 'ws'), 'graphql-transport-ws', {
        headers: { host },
      });
      const said = new Promise<string>((resolve) => {
        socket.on('message', (message) => resolve(JSON.parse(String(message)).type));
        socket.on('close', (code) => resolve(String(code)));
      });
      await once(socket, 'open');
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${wren.token}` } }));
      return said.finally(() => socket.close());
    };
    expect(await opened('portal.northwind.example')).toBe('4403');
    expect(await opened('localhost')).toBe('connection_ack');
  });

  test('two claim one host: only who proves it gets it, the other learns nothing; lost for good, it is free', async () => {
    const host = 'shared.contested.example';
    const [one, two] = [(await add(ingrid, host)).domain, (await add(bruno, host)).domain] as [Row, Row];
    expect(one.recordName).toBe(`_isp-challenge.${host}`);
    expect(one.recordValue).toMatch(/^isp-verify=[A-Za-z0-9_-]{43}$/);
    expect((await on(bruno, CHECK, two.id)).domain?.state).toBe('PENDING');
    publishRecord(one.recordName, one.recordValue);
    expect((await on(ingrid, CHECK, one.id)).domain).toMatchObject({ state: 'ACTIVE', certificate: 'ISSUED' });
    publishRecord(two.recordName, two.recordValue); // both records stand there: who holds it keeps it
    const told = await on(bruno, CHECK, two.id);
    expect(told).toMatchObject({ domain: { state: 'PENDING', certificate: 'NONE' }, userErrors: [] });
    expect((await under(host, bruno.token)).body.errors?.[0]?.extensions).toMatchObject(MISMATCH);
    const events = await running.world.sql(
      "select name, tenant_id from kernel.event where payload ->> 'host' = $1 order by seq",
      [host],
    );
    expect(events.map(({ name }) => name)).toEqual(['tenancy.domain.verified', 'tenancy.domain.activated']);

    setRecords(one.recordName, []);
    for (const state of ['ACTIVE', 'ACTIVE', 'LOST']) {
      await sweep('a02', host);
      expect((await domains(ingrid)).find((row) => row.id === one.id)?.state).toBe(state);
    }
    await sweep('a02', host, 72);
    expect((await domains(ingrid)).map((row) => row.host)).not.toContain(host);
    publishRecord(two.recordName, two.recordValue);
    expect((await on(bruno, CHECK, two.id)).domain?.state).toBe('ACTIVE');
    expect((await under(host, bruno.token)).body).toMatchObject({ data: { tenant: { slug: 'atlas' } } });
  });

  test('a CNAME to the platform’s name proves it by a scheduled check; unproved for 72 hours it expires', async () => {
    const cname = (await add(ingrid, 'www.cname.example', 'DNS_CNAME')).domain as Row;
    expect(cname).toMatchObject({ recordName: 'www.cname.example', recordValue: 'northwind.isp.example' });
    publishRecord(cname.recordName, 'elsewhere.example');
    await sweep('a02', cname.host);
    expect((await domains(ingrid)).find(({ id }) => id === cname.id)?.state).toBe('PENDING');
    publishRecord(cname.recordName, cname.recordValue);
    await sweep('a02', cname.host);
    expect((await domains(ingrid)).find(({ id }) => id === cname.id)?.state).toBe('ACTIVE');
    const late = (await add(ingrid, 'late.example.org')).domain as Row;
    await sweep('a02', late.host, 73);
    expect((await domains(ingrid)).find(({ id }) => id === late.id)?.state).toBe('EXPIRED');
    expect((await on(ingrid, CHECK, late.id)).userErrors).toMatchObject([{ code: 'INVALID_STATE' }]);
  });

  test('one that is active becomes the primary one, alone; one without a certificate is not active yet', async () => {
    const [portal] = await domains(ingrid);
    expect((await on(ingrid, PRIMARY, portal?.id)).domain?.isPrimary).toBe(true);
    const cname = (await domains(ingrid)).find(({ host }) => host === 'www.cname.example');
    expect((await on(ingrid, PRIMARY, cname?.id)).domain?.isPrimary).toBe(true);
    expect((await domains(ingrid)).filter(({ isPrimary }) => isPrimary).map(({ host }) => host)).toEqual([
      'www.cname.example',
    ]);
    const waiting = (await add(ingrid, 'refuse-me.example.org')).domain as Row;
    publishRecord(waiting.recordName, waiting.recordValue);
    expect((await on(ingrid, CHECK, waiting.id)).domain).toMatchObject({ state: 'VERIFIED', certificate: 'PENDING' });
    expect((await on(ingrid, PRIMARY, waiting.id)).userErrors).toMatchObject([
      { code: 'INVALID_STATE', field: 'domainId' },
    ]);
    expect((await on(ingrid, REMOVE, waiting.id)).domain).toMatchObject({ state: 'RELEASED', certificate: 'NONE' });
  });

  test('in a suspension no name is looked at and none is lost; claims have their time again once it is lifted', async () => {
    const ngozi = await running.client.signIn('ngozi@platform.example', running.password);
    const claim = (await add(ingrid, 'claimed.example.org')).domain as Row;
    const [{ expires_at: before, record_name: record }] = await running.world.sql(
      `select c.expires_at, p.record_name from tenancy.tenant_domain c, tenancy.tenant_domain p
        where c.host = 'claimed.example.org' and p.host = 'portal.northwind.example'`,
    );
    const tenantId = '01990000-0000-7000-8000-000000000a02';
    await ngozi.ask('mutation($input: SuspendTenantInput!) { suspendTenant(input: $input) { userErrors { code } } }', {
      input: { tenantId, reason: 'NON_PAYMENT' },
    });
    await running.world.sql(
      `select set_config('app.tenant_id', '${tenantId}', false);
       update tenancy.tenant set suspended_at = now() - interval '2 days' where id = '${tenantId}'`,
    );
    setRecords(record, []);
    for (let day = 0; day < 4; day++) await sweep('a02', 'portal.northwind.example');
    const lifted = await ngozi.ask(
      'mutation($input: TenantInput!) { reactivateTenant(input: $input) { tenant { state } } }',
      { input: { tenantId } },
    );
    expect(lifted.data).toEqual({ reactivateTenant: { tenant: { state: 'ACTIVE' } } });
    const held = await running.world.sql(
      "select host, state, failed_checks, expires_at from tenancy.tenant_domain where host in ('portal.northwind.example', 'claimed.example.org') order by host",
    );
    expect(held).toMatchObject([{ state: 'PENDING' }, { state: 'ACTIVE', failed_checks: 0 }]);
    const hours = (held[0].expires_at.getTime() - before.getTime()) / 3_600_000;
    expect(Math.round(hours)).toBe(48);
    ingrid = await running.client.signIn('ingrid@northwind.example', running.password);
    expect((await on(ingrid, REMOVE, claim.id)).domain?.state).toBe('RELEASED');
  });

  test('bad input: no name to own, one’s own again, an eleventh, another tenant’s, no white label', async () => {
    for (const host of [
      '10.0.0.1',
      'localhost',
      'co.uk',
      'a.example.com:8080',
      'a.example.com/x',
      'kestrel.isp.example',
    ])
      expect((await add(ingrid, host)).userErrors).toEqual([
        { code: 'INVALID', message: 'This is not a domain name you can own.', field: 'host' },
      ]);
    expect((await add(ingrid, 'portal.northwind.example')).userErrors).toMatchObject([{ code: 'CONFLICT' }]);
    const custom = async () => (await domains(ingrid)).filter(({ kind }) => kind === 'CUSTOM');
    const taking = (await custom()).filter(({ state }) => state !== 'EXPIRED').length;
    for (let i = taking; i < 10; i += 1) expect((await add(ingrid, `n${i}.example.org`)).userErrors).toEqual([]);
    expect((await add(ingrid, 'eleventh.example.org')).userErrors).toMatchObject([{ code: 'LIMIT_REACHED' }]);
    const [portal] = await custom();
    for (const document of [CHECK, PRIMARY, REMOVE])
      expect(await on(bruno, document, portal?.id)).toEqual(
        await on(bruno, document, '01990000-0000-7000-8000-00000000dead'),
      );
    const { data, errors } = await ask(wren, ADD, { host: 'portal.kestrel.example', method: 'DNS_TXT' });
    expect(data?.addDomain).toBeNull();
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'FEATURE_NOT_LICENSED', feature: 'white_label' });
  });
});
