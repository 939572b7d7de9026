/// <reference lib="dom" />
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Browser, type CDPSession, chromium, type Page } from 'playwright-core';
import { seedId } from '../../../subgraphs/_kernel/seed-world.ts';
import { openGatewayWorld } from '../../setup/gateway.ts';

const CHROMIUM = '/usr/bin/chromium';
const ANSWER =
  '{ session { accessToken sessionId } challenge { token methods passkeyOptions } userErrors { code message } }';
const WREN = 'wren@kestrel.example';

interface SignInAnswer {
  session: { accessToken: string; sessionId: string } | null;
  challenge: { token: string; methods: string[]; passkeyOptions: string | null } | null;
  userErrors: { code: string; message: string }[];
}

(existsSync(CHROMIUM) ? describe : describe.skip)('Passkeys, in a browser with an authenticator of its own', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let portal: Server;
  let origin: string;
  let browser: Browser;
  let page: Page;
  let cdp: CDPSession;
  let authenticatorId: string;

  beforeAll(async () => {
    portal = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<title>A portal</title>');
    }).listen(0, '127.0.0.1');
    await once(portal, 'listening');
    origin = `http://localhost:${(portal.address() as AddressInfo).port}`;
    running = await openGatewayWorld({ ALLOWED_ORIGINS: `${origin},http://elsewhere.localhost:4000` });
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-background-networking'],
    });
    page = await browser.newPage();
    cdp = await page.context().newCDPSession(page);
    await cdp.send('WebAuthn.enable');
    ({ authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    }));
    await page.goto(origin);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    portal?.close();
    await running?.close();
  });

  const ask = async <T>(query: string, input: object | undefined, token?: string, from = origin) => {
    const { data, errors } = await running.client.post(query, input && { input }, token, { origin: from });
    if (errors) throw new Error(JSON.stringify(errors));
    return Object.values(data ?? {})[0] as T;
  };
  const call = (door: string, type: string, input: object, token?: string, from?: string) =>
    ask<SignInAnswer>(`mutation($input: ${type}!) { ${door}(input: $input) ${ANSWER} }`, input, token, from);
  const byPassword = (from?: string) =>
    call('signIn', 'SignInInput', { email: WREN, password: running.password, transport: 'BODY' }, undefined, from);
  const alone = (from?: string) =>
    ask<SignInAnswer>(
      'mutation($input: PasskeySignInInput!) { startPasskeySignIn(input: $input) { challenge { token methods passkeyOptions } userErrors { code message } } }',
      { transport: 'BODY' },
      undefined,
      from,
    );
  const answer = (token: string, passkey: string) =>
    call('answerChallenge', 'AnswerChallengeInput', { token, passkey });

  /** What the browser's authenticator makes of options, as a portal would send it. */
  const created = (options: string) =>
    page.evaluate(async (json) => {
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(json));
      const made = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential;
      return JSON.stringify(made.toJSON());
    }, options);
  const signed = (options: string | null | undefined, changes: object = {}) =>
    page.evaluate(
      async (json) => {
        const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(json));
        const made = (await navigator.credentials.get({ publicKey })) as PublicKeyCredential;
        return JSON.stringify(made.toJSON());
      },
      JSON.stringify({ ...JSON.parse(String(options)), ...changes }),
    );

  const start = (token: string) =>
    ask<SignInAnswer>(
      'mutation { startPasskey { challenge { token methods passkeyOptions } userErrors { code message } } }',
      undefined,
      token,
    );
  const keep = (token: string, input: object) =>
    ask<{ passkey: { id: string; host: string } | null; userErrors: { code: string; message: string }[] }>(
      'mutation($input: AddPasskeyInput!) { addPasskey(input: $input) { passkey { id host } userErrors { code message } } }',
      input,
      token,
    );
  const methodsOf = async ({ session }: SignInAnswer) => {
    const [row] = await running.world.sql('select methods, strong_at from identity.session where id = $1', [
      session?.sessionId,
    ]);
    return row && { methods: row.methods, isStrong: row.strong_at !== null };
  };
  const NOT_RIGHT = [{ code: 'INVALID', message: 'This passkey is not right.' }];
  const START_AGAIN = [{ code: 'INVALID', message: 'Please start again.' }];
  let mine: string;
  let passkeyId: string;

  test('one is made for the host of the portal, and a wrong answer makes none', async () => {
    const { session } = await byPassword();
    mine = String(session?.accessToken);
    const { challenge } = await start(mine);
    const made = await created(String(challenge?.passkeyOptions));
    expect(JSON.parse(String(challenge?.passkeyOptions))).toMatchObject({ rp: { id: 'localhost' } });
    const other = (await start(mine)).challenge;
    const swapped = await keep(mine, { token: other?.token, passkey: made, name: 'Laptop' });
    expect(swapped).toEqual({ passkey: null, userErrors: NOT_RIGHT });
    const junk = await keep(mine, { token: other?.token, passkey: '{"id":1}', name: 'Laptop' });
    expect(junk.userErrors).toEqual(NOT_RIGHT);
    const kept = await keep(mine, { token: challenge?.token, passkey: made, name: 'Laptop' });
    expect(kept).toEqual({ passkey: { id: expect.any(String), host: 'localhost' }, userErrors: [] });
    passkeyId = String(kept.passkey?.id);
    const again = await keep(mine, { token: challenge?.token, passkey: made, name: 'Laptop' });
    expect(again.userErrors).toEqual(START_AGAIN);
    const { data } = await running.client.post('{ me { methods hasTotp passkeys { id name host } } }', {}, mine);
    expect(data?.me).toEqual({
      methods: ['PWD', 'KEY'],
      hasTotp: false,
      passkeys: [{ id: passkeyId, name: 'Laptop', host: 'localhost' }],
    });
  });

  test('after the password it is asked for, and lets one in once', async () => {
    const { session, challenge } = await byPassword();
    expect([session, challenge?.methods]).toEqual([null, ['KEY']]);
    const passkey = await signed(challenge?.passkeyOptions);
    const entered = await answer(String(challenge?.token), passkey);
    expect(await methodsOf(entered)).toEqual({ methods: ['PWD', 'KEY'], isStrong: true });
    expect((await answer(String(challenge?.token), passkey)).userErrors).toEqual(START_AGAIN);
    const next = (await byPassword()).challenge;
    expect((await answer(String(next?.token), passkey)).userErrors).toEqual(NOT_RIGHT);
  });

  test('alone it is both factors, and says who it is', async () => {
    const { challenge } = await alone();
    expect(challenge?.methods).toEqual(['KEY']);
    const entered = await answer(String(challenge?.token), await signed(challenge?.passkeyOptions));
    expect(await methodsOf(entered)).toEqual({ methods: ['KEY'], isStrong: true });
    const { data } = await running.client.post('{ me { user { displayName } } }', {}, entered.session?.accessToken);
    expect(data).toEqual({ me: { user: { displayName: 'Wren Castillo' } } });
  });

  test('alone it opens nothing for the people of another realm', async () => {
    const query =
      'mutation($input: PasskeySignInInput!) { startPasskeySignIn(input: $input) { challenge { token passkeyOptions } } }';
    const { challenge } = await ask<SignInAnswer>(query, { transport: 'BODY', realm: 'northwind' });
    const passkey = await signed(challenge?.passkeyOptions);
    expect((await answer(String(challenge?.token), passkey)).userErrors).toEqual(NOT_RIGHT);
  });

  test('signed at one portal it opens no other, and without its owner’s hand or face nothing at all', async () => {
    const elsewhere = (await alone('http://elsewhere.localhost:4000')).challenge;
    expect(JSON.parse(String(elsewhere?.passkeyOptions))).toMatchObject({ rpId: 'elsewhere.localhost' });
    const phished = await signed(elsewhere?.passkeyOptions, { rpId: 'localhost' });
    expect((await answer(String(elsewhere?.token), phished)).userErrors).toEqual(NOT_RIGHT);
    const unverified = (await alone()).challenge;
    await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
    const lazy = await signed(unverified?.passkeyOptions, { userVerification: 'discouraged' });
    expect((await answer(String(unverified?.token), lazy)).userErrors).toEqual(NOT_RIGHT);
    await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });
  });

  test('a counter that goes back is a copy’s, and refused', async () => {
    const [{ counter }] = await running.world.sql('select counter from identity.passkey where id = $1', [passkeyId]);
    expect(Number(counter)).toBeGreaterThan(0);
    await running.world.sql('update identity.passkey set counter = counter + 1000 where id = $1', [passkeyId]);
    const { challenge } = await alone();
    const passkey = await signed(challenge?.passkeyOptions);
    expect((await answer(String(challenge?.token), passkey)).userErrors).toEqual(NOT_RIGHT);
    await running.world.sql('update identity.passkey set counter = $2 where id = $1', [passkeyId, counter]);
    const again = (await alone()).challenge;
    expect((await answer(String(again?.token), await signed(again?.passkeyOptions))).session).not.toBeNull();
  });

  test('one steps up with it, and it answers no step-up of another session', async () => {
    const enter = async () => {
      const { challenge } = await alone();
      return (await answer(String(challenge?.token), await signed(challenge?.passkeyOptions))).session;
    };
    const [one, two] = [await enter(), await enter()];
    await running.world.sql("update identity.session set strong_at = strong_at - interval '1 hour' where id = $1", [
      one?.sessionId,
    ]);
    const { challenge } = await call('stepUp', 'StepUpInput', {}, one?.accessToken);
    expect(challenge?.methods).toEqual(['KEY']);
    const input = { token: challenge?.token, passkey: await signed(challenge?.passkeyOptions) };
    expect((await call('stepUp', 'StepUpInput', input, two?.accessToken)).userErrors).toEqual(START_AGAIN);
    const done = await call('stepUp', 'StepUpInput', input, one?.accessToken);
    expect(done.userErrors).toEqual([]);
    const [{ is_fresh }] = await running.world.sql(
      "select strong_at > now() - interval '1 minute' as is_fresh from identity.session where id = $1",
      [one?.sessionId],
    );
    expect(is_fresh).toBe(true);
  });

  test('the eleventh is refused, and one that is removed is asked for no more', async () => {
    const { challenge } = await alone();
    const { session } = await answer(String(challenge?.token), await signed(challenge?.passkeyOptions));
    const token = String(session?.accessToken);
    await running.world.sql(
      `insert into identity.passkey (id, user_id, credential_id, public_key, counter, transports, name, host, made_at)
       select gen_random_uuid(), $1, 'other ' || i, '', 0, '{}', 'Other', 'localhost', now() from generate_series(1, 9) i`,
      [seedId('6011')],
    );
    expect((await start(token)).userErrors).toMatchObject([{ code: 'LIMIT_REACHED' }]);
    await running.world.sql("delete from identity.passkey where credential_id like 'other %'");
    const remove = 'mutation($input: IdInput!) { removePasskey(input: $input) { isDone userErrors { code message } } }';
    expect(await ask(remove, { id: seedId('9999') }, token)).toMatchObject({ userErrors: [{ code: 'NOT_FOUND' }] });
    expect(await ask(remove, { id: passkeyId }, token)).toEqual({ isDone: true, userErrors: [] });
    expect((await byPassword()).session).not.toBeNull();
    const told = (await running.world.mails(WREN)).map(({ subject }) => subject);
    expect(told).toEqual(['A passkey was added to your account', 'A passkey of your account was removed']);
  });
});
