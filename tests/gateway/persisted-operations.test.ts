import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { managePersistedOperations } from '../../gateway/persisted-operations.ts';
import { type GraphError, openGatewayWorld, type Person, rawSocket } from '../setup/gateway.ts';

const SIGN_IN = `mutation SignIn($input: SignInInput!) { signIn(input: $input) {
  session { accessToken refreshToken } userErrors { code } } }`;
const WHO = 'query Who { tenant { slug } }';
const TENANT = 'subscription Tenant { tenantUpdated { slug } }';
const CHOICE = 'query Choice($all: Boolean!) { tenant { slug name @include(if: $all) } }';

const idOf = (body: string) => createHash('sha256').update(body).digest('hex');
const manifest = (...bodies: string[]) =>
  JSON.stringify({
    format: 'apollo-persisted-query-manifest',
    version: 1,
    operations: bodies.map((body) => ({
      id: idOf(body),
      name: /(\w+)[ (]/.exec(body.replace(/^\w+ /, ''))?.[1] ?? '',
      type: body.split(' ')[0],
      body,
    })),
  });

describe('Persisted operations', () => {
  const dir = mkdtempSync(join(tmpdir(), 'dotmac-manifests-'));
  const [staff, portal] = [join(dir, 'staff.json'), join(dir, 'portal.json')];
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let ingrid: Person;
  let lena: Person;

  const post = async (body: object, token?: string, headers: Record<string, string> = {}) => {
    const response = await fetch(running.client.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...headers,
      },
      body: JSON.stringify(body),
    });
    return {
      status: response.status,
      ...((await response.json()) as { data?: unknown; errors?: GraphError[] }),
    };
  };
  const byHash = (body: string) => ({ extensions: { persistedQuery: { version: 1, sha256Hash: idOf(body) } } });
  const codesOf = ({ errors = [] }: { errors?: GraphError[] }) =>
    errors.map(({ extensions: { code, reason } }) => [code, reason]);

  const signIn = async (email: string, realm?: string): Promise<Person> => {
    const { data } = await post({
      ...byHash(SIGN_IN),
      variables: { input: { email, realm, password: running.password, transport: 'BODY' } },
    });
    const { session } = (data as { signIn: { session: { accessToken: string } } }).signIn;
    return running.client.as(session.accessToken);
  };

  beforeAll(async () => {
    writeFileSync(staff, manifest(WHO, CHOICE));
    writeFileSync(portal, manifest(SIGN_IN, WHO, TENANT));
    running = await openGatewayWorld({ PERSISTED_OPERATIONS: `${staff},${portal}`, PORTALS_IDS_ONLY: 'true' });
    ingrid = await signIn('ingrid@northwind.example');
    lena = await signIn('lena@northwind.example', 'northwind');
  }, 60_000);
  afterAll(async () => {
    await running?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  test('an operation is run by its id, however the client sends it', async () => {
    for (const reference of [byHash(WHO), { id: idOf(WHO) }, { documentId: idOf(WHO) }])
      expect(await post(reference, ingrid.token)).toMatchObject({
        status: 200,
        data: { tenant: { slug: 'northwind' } },
      });
  });

  test('an operation is planned before anybody asks for it, in every way its conditions can come out', () => {
    const { graph } = running.gateway;
    const request = { ...byHash(CHOICE), query: undefined as never, caller: {} as never, requestId: '', address: '' };
    const operation = graph.prepare(request);
    expect(operation.name).toBe('Choice');
    expect([operation.isPlanned({ all: true }), operation.isPlanned({ all: false })]).toEqual([true, true]);
    expect(graph.prepare(request)).toBe(operation);
  });

  test('an unknown id is refused, and so is a text that is not the one its id stands for', async () => {
    const unknown = await post({ id: 'f'.repeat(64) }, ingrid.token);
    expect([unknown.status, codesOf(unknown)]).toEqual([400, [['BAD_USER_INPUT', 'PERSISTED_OPERATION_NOT_FOUND']]]);
    const other = await post({ id: idOf(WHO), query: '{ tenant { name } }' }, ingrid.token);
    expect([other.status, codesOf(other)]).toEqual([400, [['BAD_USER_INPUT', undefined]]]);
    for (const wrong of [
      { id: 7 },
      { extensions: { persistedQuery: { version: 2, sha256Hash: idOf(WHO) } } },
      { extensions: { persistedQuery: { version: 1, sha256Hash: {} } } },
      { extensions: 'x' },
    ])
      expect(await post(wrong, ingrid.token)).toMatchObject({
        status: 400,
        errors: [{ extensions: { code: 'BAD_USER_INPUT' } }],
      });
  });

  test('a text nobody registered is never kept under an id', async () => {
    const text = '{ tenant { name } }';
    expect((await post({ query: text, ...byHash(text) }, ingrid.token)).status).toBe(200);
    expect(codesOf(await post(byHash(text), ingrid.token))).toEqual([
      ['BAD_USER_INPUT', 'PERSISTED_OPERATION_NOT_FOUND'],
    ]);
  });

  test('staff may write operations of their own; a portal customer and a stranger may not', async () => {
    const own = { query: '{ me { user { displayName } } }' };
    expect((await post(own, ingrid.token)).status).toBe(200);
    for (const token of [lena.token, undefined])
      for (const body of [own, { query: '{' }, {}, { id: 'x' }, { query: WHO }]) {
        const answer = await post(body, token);
        expect([answer.status, codesOf(answer)]).toEqual([403, [['FORBIDDEN', 'PERSISTED_OPERATION_REQUIRED']]]);
      }
    expect((await post(byHash(WHO), lena.token)).data).toEqual({ tenant: { slug: 'northwind' } });
  });

  test('the same holds for GET, for streams over HTTP and over a socket', async () => {
    const get = (search: string) =>
      fetch(`${running.client.url}?${search}`, {
        headers: { authorization: `Bearer ${lena.token}`, 'apollo-require-preflight': '1' },
      });
    expect((await get(`query=${encodeURIComponent('{ tenant { name } }')}`)).status).toBe(403);
    for (const accept of ['text/event-stream', 'multipart/mixed;subscriptionSpec="1.0"']) {
      const own = await post({ query: 'subscription { tenantUpdated { name } }' }, lena.token, { accept });
      expect([own.status, codesOf(own)]).toEqual([403, [['FORBIDDEN', 'PERSISTED_OPERATION_REQUIRED']]]);
    }
    const socket = await rawSocket(running.client.url);
    const messages: { type: string; payload?: unknown }[] = [];
    socket.on('message', (data) => void messages.push(JSON.parse(String(data))));
    const next = async (type: string) => {
      for (let i = 0; i < 200; i++) {
        const found = messages.findIndex((message) => message.type === type);
        if (found >= 0) return messages.splice(found, 1)[0];
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      throw new Error(`No ${type} came: ${JSON.stringify(messages)}`);
    };
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${lena.token}` } }));
    await next('connection_ack');
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: '{ tenant { name } }' } }));
    expect(await next('error')).toMatchObject({
      payload: [{ extensions: { code: 'FORBIDDEN', reason: 'PERSISTED_OPERATION_REQUIRED' } }],
    });
    socket.send(JSON.stringify({ id: '2', type: 'subscribe', payload: { query: TENANT, ...byHash(TENANT) } }));
    expect(await next('next')).toMatchObject({ payload: { data: { tenantUpdated: { slug: 'northwind' } } } });
    socket.close();
  });

  test('a new manifest is taken over at once; a broken one is refused and the last good one stays', async () => {
    const text = 'query Name { tenant { name } }';
    writeFileSync(staff, manifest(WHO, text));
    expect(await running.gateway.reload()).toBe(false); // the supergraph is the same
    expect((await post(byHash(text), lena.token)).data).toEqual({ tenant: { name: 'Northwind Fibre' } });
    const other = JSON.parse(manifest(WHO));
    other.operations[0].body = '{ tenant { name } }';
    for (const broken of ['{', '[]', '{"format":"other","version":1,"operations":[]}', JSON.stringify(other)]) {
      writeFileSync(staff, broken);
      await running.gateway.reload();
      expect((await post(byHash(text), lena.token)).data).toEqual({ tenant: { name: 'Northwind Fibre' } });
    }
    writeFileSync(staff, manifest(WHO, CHOICE, 'query Gone { nothingLikeThis }'));
    await running.gateway.reload();
    expect((await post(byHash(CHOICE), lena.token)).status).toBe(400); // a variable is missing, so it is known
    expect(codesOf(await post(byHash('query Gone { nothingLikeThis }'), lena.token))).toEqual([
      ['BAD_USER_INPUT', undefined],
    ]);
  });

  test('a start with a manifest that cannot be read is refused with a sentence', async () => {
    const broken = join(dir, 'broken.json');
    writeFileSync(broken, '{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":""}]}');
    for (const file of [join(dir, 'missing.json'), broken])
      await expect(managePersistedOperations([file], true, pino({ level: 'silent' }))).rejects.toMatchObject({
        name: 'StartFailure',
        code: 'MANIFEST_UNREADABLE',
        message: expect.stringContaining(`${file} is no manifest of persisted operations.`),
      });
  });
});
