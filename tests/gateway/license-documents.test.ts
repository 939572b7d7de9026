import { licenseDocuments } from '../../gateway/license-documents.ts';
import { payloadOf } from '../licensing/files/files-world.ts';
import { openGatewayWorld } from '../setup/gateway.ts';

const KEYS = '/.well-known/license-jwks.json';
const LIST = '/.well-known/license-revocations.jws';

describe('What installations read at the gateway without signing in', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let origin: string;
  beforeAll(async () => {
    running = await openGatewayWorld();
    origin = new URL(running.client.url).origin;
  }, 60_000);
  afterAll(() => running?.close());

  test.each([
    [KEYS, 'application/jwk-set+json', 'public, max-age=300, must-revalidate'],
    [LIST, 'application/jose', 'public, max-age=30, must-revalidate'],
  ])('%s says for how long it may be kept, and whether it is still the same', async (path, type, cache) => {
    const response = await fetch(`${origin}${path}`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(type);
    expect(response.headers.get('cache-control')).toBe(cache);
    const etag = String(response.headers.get('etag'));
    expect(etag).toMatch(/^"[\w-]{22}"$/);
    const again = await fetch(`${origin}${path}`, { headers: { 'if-none-match': etag } });
    expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, etag, '']);
    expect((await fetch(`${origin}${path}`, { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
    expect((await fetch(`${origin}${path}`, { method: 'POST' })).status).toBe(404);
  });

  test('they are what the graph says: two keys, and a list with all that belongs in it', async () => {
    const { data } = await running.client.post<Record<string, string>>('{ licenseKeySet licenseRevocationList }');
    const [keys, list] = await Promise.all([KEYS, LIST].map(async (path) => (await fetch(`${origin}${path}`)).text()));
    expect([keys, list]).toEqual([data?.licenseKeySet, data?.licenseRevocationList]);
    expect(JSON.parse(String(keys)).keys).toHaveLength(2);
    expect(payloadOf<object>(String(list))).toEqual({
      ...{ seq: expect.any(Number), iat: expect.any(Number), nextUpdate: expect.any(Number) },
      ...{ jtis: [], kids: [], minEpochs: {} },
    });
  });
});

describe('While licensing is away', () => {
  test('the last that was read is served, and nothing before anything was', async () => {
    const { now } = performance;
    try {
      let answer: () => Promise<never> = async () => ({ licenseRevocationList: 'first' }) as never;
      const read = licenseDocuments(() => answer()).get(LIST);
      const bodyAt = async (ms: number) => {
        performance.now = () => ms;
        return (await read?.())?.body;
      };
      expect(await bodyAt(0)).toBe('first');
      answer = async () => ({ licenseRevocationList: 'second' }) as never;
      expect(await bodyAt(14_999)).toBe('first');
      expect(await bodyAt(15_000)).toBe('second');
      answer = () => Promise.reject(new Error('away'));
      expect(await bodyAt(1_000_000)).toBe('second');
      await expect(licenseDocuments(() => answer()).get(LIST)?.()).rejects.toThrow('away');
    } finally {
      performance.now = now;
    }
  });
});
