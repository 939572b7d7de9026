/// <reference lib="dom" />
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { openGatewayWorld } from '../setup/gateway.ts';

const CHROMIUM = '/usr/bin/chromium';
const COOKIE = '__Host-isp_rt';
const WREN = 'wren@kestrel.example';
const SESSION = 'session { accessToken refreshToken sessionId } userErrors { code message }';
const SIGN_IN = `mutation($input: SignInInput!) { signIn(input: $input) { ${SESSION} } }`;
const REFRESH = `mutation { refreshSession { ${SESSION} } }`;
const ME = '{ me { user { displayName } tenant { slug } } }';

interface Tokens {
  accessToken: string;
  refreshToken: string | null;
  sessionId: string;
}
interface Told {
  data?: Record<string, { session?: Tokens | null; isDone?: boolean; userErrors?: { message: string }[] }> | null;
  errors?: { extensions: { code: string; reason?: string } }[];
}

/** A page somebody serves, with nothing of ours in it. */
async function openPage(): Promise<{ server: Server; port: number }> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<title>A page</title>');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

(existsSync(CHROMIUM) ? describe : describe.skip)('Signing in from a page of a portal, by cookie', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let portal: { server: Server; port: number };
  let foreign: { server: Server; port: number };
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let graph: string;
  let first: Tokens;
  let second: Tokens;

  beforeAll(async () => {
    [portal, foreign] = [await openPage(), await openPage()];
    running = await openGatewayWorld({ ALLOWED_ORIGINS: `http://localhost:${portal.port}` });
    graph = `http://localhost:${running.gateway.port}/graphql`;
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-background-networking'],
    });
    context = await browser.newContext();
    page = await context.newPage();
    await page.goto(`http://localhost:${portal.port}`);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    portal?.server.close();
    foreign?.server.close();
    await running?.close();
  });

  /** What a page's script does: it asks with whatever cookies the browser adds, and says how that went. */
  const askFrom = (where: Page, query: string, variables: object = {}, token?: string): Promise<Told | string> =>
    where.evaluate(
      async ({ url, body, bearer }) => {
        const headers = {
          'content-type': 'application/json',
          ...(bearer ? { authorization: `Bearer ${bearer}` } : {}),
        };
        try {
          return await (await fetch(url, { method: 'POST', credentials: 'include', headers, body })).json();
        } catch (error) {
          return String(error);
        }
      },
      { url: graph, body: JSON.stringify({ query, variables }), bearer: token },
    );
  const ask = async (query: string, variables: object = {}, token?: string) =>
    (await askFrom(page, query, variables, token)) as Told;
  const cookieOf = async () => (await context.cookies()).find(({ name }) => name === COOKIE);
  const sessionNow = async () => {
    const [row] = await running.world.sql('select generation, end_reason from identity.session where id = $1', [
      first.sessionId,
    ]);
    return row as { generation: number; end_reason: string | null };
  };

  test('gives the page an access token, and the browser a cookie no script can read', async () => {
    const input = { email: WREN, password: running.password, transport: 'COOKIE' };
    const { data } = await ask(SIGN_IN, { input });
    first = data?.signIn?.session as Tokens;
    expect(first).toMatchObject({ refreshToken: null, accessToken: expect.any(String) });
    const cookie = await cookieOf();
    expect(cookie).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Strict', path: '/', domain: 'localhost' });
    expect(cookie?.value).toMatch(/^isp_rt_/);
    const readable = await page.evaluate(
      () => document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage }),
    );
    expect(readable).toBe('{}');
    expect(JSON.stringify(data)).not.toContain('isp_rt_');
    expect((await ask(ME, {}, first.accessToken)).data).toEqual({
      me: { user: { displayName: 'Wren Castillo' }, tenant: { slug: 'kestrel' } },
    });
    expect((await ask(ME)).data).toEqual({ me: null }); // the cookie alone asks for nothing
  });

  test('a page that was loaded anew has its session back by the cookie, which is another one then', async () => {
    const before = (await cookieOf())?.value;
    await page.reload();
    second = (await ask(REFRESH)).data?.refreshSession?.session as Tokens;
    expect(second).toMatchObject({ sessionId: first.sessionId, refreshToken: null });
    expect((await cookieOf())?.value).not.toBe(before);
    expect((await ask(ME, {}, second.accessToken)).data).toMatchObject({ me: { tenant: { slug: 'kestrel' } } });
    expect(await sessionNow()).toEqual({ generation: 2, end_reason: null });
  });

  test.each([
    ['another site', '127.0.0.1'],
    ['another name under ours', 'evil.localhost'],
    ['another port of the same host, to which the browser sends the cookie', 'localhost'],
  ])('a page of %s can neither refresh nor sign out, whatever it sends', async (_, host) => {
    const evil = await context.newPage();
    await evil.goto(`http://${host}:${foreign.port}`);
    expect(await askFrom(evil, REFRESH)).toMatch(/Failed to fetch/);
    expect(await askFrom(evil, 'mutation { signOut { isDone } }')).toMatch(/Failed to fetch/);
    // What a browser sends without asking first: text, forms, images.
    const statuses = await evil.evaluate(
      async ({ url, query }) => {
        const simple = { method: 'POST', credentials: 'include', mode: 'no-cors' } as const;
        const body = JSON.stringify({ query });
        const types = ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'];
        const sent = types.map((type) => fetch(url, { ...simple, headers: { 'content-type': type }, body }));
        sent.push(fetch(`${url}?query=${encodeURIComponent(query)}`, { credentials: 'include', mode: 'no-cors' }));
        return (await Promise.allSettled(sent)).map(({ status }) => status);
      },
      { url: graph, query: 'mutation { signOut { isDone } }' },
    );
    expect(statuses).toHaveLength(4);
    await Promise.all([
      evil.waitForNavigation(),
      evil.evaluate(
        ({ url, query }) => {
          const form = document.createElement('form');
          Object.assign(form, { method: 'POST', action: url, enctype: 'text/plain' });
          const field = document.createElement('input');
          Object.assign(field, { name: JSON.stringify({ query }).replace(/}$/, ',"x":"'), value: '"}' });
          form.append(field);
          document.body.append(form);
          form.submit();
        },
        { url: graph, query: 'mutation { signOut { isDone } }' },
      ),
    ]);
    await evil.close();
    expect(await sessionNow()).toEqual({ generation: 2, end_reason: null });
    expect((await ask(ME, {}, second.accessToken)).data).toMatchObject({ me: { tenant: { slug: 'kestrel' } } });
  });

  test('the cookie, stolen and sent under a foreign Origin or none, refreshes nothing', async () => {
    const { value } = (await cookieOf()) as { value: string };
    const cookie = `${COOKIE}=${value}`;
    for (const headers of [
      { cookie },
      { cookie, origin: `http://localhost:${foreign.port}` },
      { cookie, origin: 'null' },
    ]) {
      const { data } = await running.client.post<{ refreshSession: { session: null } }>(
        REFRESH,
        {},
        undefined,
        headers as Record<string, string>,
      );
      expect(data?.refreshSession.session).toBeNull();
    }
    expect(await sessionNow()).toEqual({ generation: 2, end_reason: null });
  });

  test('signing out takes the cookie away, refuses the token, and closes the socket with 4403, within a second', async () => {
    await page.evaluate(
      ({ url, token }) =>
        new Promise<void>((resolve) => {
          const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws');
          const send = (message: object) => socket.send(JSON.stringify(message));
          socket.onopen = () => send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
          socket.onmessage = ({ data }) => {
            if (JSON.parse(data).type !== 'connection_ack') return resolve();
            send({ id: '1', type: 'subscribe', payload: { query: 'subscription { licenseUpdated { version } }' } });
          };
          socket.onclose = ({ code }) => Object.assign(window, { closedAt: performance.now(), closedWith: code });
        }),
      { url: graph, token: second.accessToken },
    );
    const out = await ask('mutation { signOut { isDone userErrors { message } } }', {}, second.accessToken);
    expect(out.data?.signOut).toEqual({ isDone: true, userErrors: [] });
    const signedOutAt = await page.evaluate(() => performance.now());
    expect(await cookieOf()).toBeUndefined();
    for (const { accessToken } of [first, second])
      expect((await ask(ME, {}, accessToken)).errors?.[0]?.extensions).toMatchObject({
        ...{ code: 'UNAUTHENTICATED', reason: 'REVOKED' },
      });
    await page.waitForFunction(() => 'closedAt' in window, undefined, { timeout: 5_000 });
    const { closedAt, closedWith } = await page.evaluate(() => {
      const noted = window as unknown as { closedAt: number; closedWith: number };
      return { closedAt: noted.closedAt, closedWith: noted.closedWith };
    });
    expect(closedWith).toBe(4403);
    expect(closedAt - signedOutAt).toBeLessThan(1_000);
    expect((await ask(REFRESH)).data?.refreshSession).toMatchObject({
      session: null,
      userErrors: [{ message: 'Please sign in again.' }],
    });
    expect(await sessionNow()).toMatchObject({ end_reason: 'SIGNED_OUT' });
  });
});
