import { openGatewayWorld, type Person } from '../setup/gateway.ts';

const KESTREL = '01990000-0000-7000-8000-000000000a01';
const SSE = 'text/event-stream';
const MULTIPART = 'multipart/mixed;subscriptionSpec="1.0", application/json';

describe('Subscriptions over plain HTTP', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let wren: Person;
  let ngozi: Person;
  beforeAll(async () => {
    running = await openGatewayWorld();
    wren = await running.client.signIn('wren@kestrel.example', running.password);
    ngozi = await running.client.signIn('ngozi@platform.example', running.password);
  }, 60_000);
  afterAll(() => running?.close());

  const open = async (accept: string, query: string) => {
    const abort = new AbortController();
    const response = await fetch(running.client.url, {
      method: 'POST',
      signal: abort.signal,
      headers: { 'content-type': 'application/json', accept, authorization: `Bearer ${wren.token}` },
      body: JSON.stringify({ query }),
    });
    const reader = response.body?.getReader();
    let text = '';
    return {
      response,
      stop: () => abort.abort(),
      /** Reads on until the text holds something, and answers all of it so far. */
      async until(wanted: string | RegExp): Promise<string> {
        const timer = setTimeout(() => abort.abort(), 5_000);
        while (!text.match(wanted)) {
          const chunk = await reader?.read();
          if (!chunk || chunk.done) throw new Error(`It ended with: ${text}`);
          text += Buffer.from(chunk.value).toString('utf8');
        }
        clearTimeout(timer);
        return text;
      },
    };
  };
  const switchCrm = (isOn: boolean) =>
    ngozi.ask(
      isOn
        ? `mutation { setOverride(input: { tenantId: "${KESTREL}", key: "crm", isEnabled: true, reason: "For a while." }) { userErrors { message } } }`
        : `mutation { removeOverride(input: { tenantId: "${KESTREL}", key: "crm", reason: "No longer." }) { userErrors { message } } }`,
    );

  test('SSE: snapshot, change, and a gated stream ends with its coded reason, then complete', async () => {
    const portal = await open(SSE, 'subscription { licenseUpdated { kind version changedKeys } }');
    expect(portal.response.headers.get('content-type')).toBe('text/event-stream');
    expect(await portal.until('SNAPSHOT')).toContain('event: next\ndata: {"data":{"licenseUpdated":{"kind":"SNAPSHOT"');
    await switchCrm(true);
    expect(await portal.until('DELTA')).toContain('"changedKeys":["features.crm"]');
    const contacts = await open(SSE, 'subscription { contactsChanged { cursor kind } }');
    await contacts.until('SNAPSHOT');
    await switchCrm(false);
    const told = await contacts.until('event: complete');
    const last = JSON.parse(/.*"errors".*/.exec(told)?.[0].slice('data: '.length) ?? '{}');
    expect(last.errors[0].extensions).toMatchObject({
      code: 'FEATURE_NOT_LICENSED',
      feature: 'crm',
      reason: 'NOT_IN_PLAN',
    });
    portal.stop();
  });

  test('multipart, as Apollo Client and Sandbox speak it: payloads in parts, the end beside an empty payload', async () => {
    await switchCrm(true);
    const contacts = await open(MULTIPART, 'subscription { contactsChanged { cursor kind } }');
    expect(contacts.response.headers.get('content-type')).toBe(
      'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"',
    );
    expect(await contacts.until('SNAPSHOT')).toContain(
      '--graphql\r\ncontent-type: application/json\r\n\r\n{"payload":{"data":{"contactsChanged":',
    );
    await switchCrm(false);
    const told = await contacts.until('--graphql--');
    expect(told).toMatch(/\{"payload":null,"errors":\[\{[^\r]*"code":"FEATURE_NOT_LICENSED"/);
  });

  test('what is refused before a stream opens is a plain answer with its status', async () => {
    for (const accept of [SSE, MULTIPART]) {
      const gated = await open(accept, 'subscription { contactsChanged { cursor } }');
      expect([gated.response.status, gated.response.headers.get('content-type')]).toEqual([
        402,
        'application/json; charset=utf-8',
      ]);
      await gated.until('requiredPlan');
      const wrong = await open(accept, 'subscription { nothing }');
      expect(wrong.response.status).toBe(400);
      wrong.stop();
    }
  });

  test('a query over SSE is one event', async () => {
    const asked = await open(SSE, '{ tenant { slug } }');
    expect(await asked.until('complete')).toMatch(
      /event: next\ndata: \{"data":\{"tenant":\{"slug":"kestrel"\}\},"extensions":\{"cost":.*\}\}\n\nevent: complete/,
    );
  });

  test('a reader that leaves frees what it held', async () => {
    const before = running.world.serving.fanOut.listeners();
    const streams = await Promise.all(
      [SSE, MULTIPART].map((accept) => open(accept, 'subscription { tenantUpdated { slug } }')),
    );
    for (const stream of streams) await stream.until('kestrel');
    expect(running.world.serving.fanOut.listeners()).toBeGreaterThan(before);
    for (const stream of streams) stream.stop();
    const until = Date.now() + 3_000;
    while (running.world.serving.fanOut.listeners() > before && Date.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(running.world.serving.fanOut.listeners()).toBe(before);
  });
});
