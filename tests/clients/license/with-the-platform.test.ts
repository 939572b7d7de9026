import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import type { LicenseClientOptions } from '../../../clients/license/src/client.ts';
import { renewalAt } from '../../../clients/license/src/connection.ts';
import { LicenseClient } from '../../../clients/license/src/index.ts';
import { FEATURE_KEYS, QUOTA_KEYS } from '../../../schema/features.ts';
import { DEVELOPMENT_ROOTS } from '../../../subgraphs/licensing/files/key-supply.service.ts';
import { tendSigningKeys } from '../../../subgraphs/licensing/files/signing-key.service.ts';
import { headerOf, payloadOf } from '../../licensing/files/files-world.ts';
import { tenantId } from '../../licensing/licensing-world.ts';
import { openGatewayWorld, type Person } from '../../setup/gateway.ts';
import { DAY, TestStore } from './forge.ts';

const ATLAS = tenantId('atlas');
const HOUR = 3_600_000;
const run = promisify(execFile);

/** The machine's time and a test's offset to it. */
class MovedClock {
  offset = 0;
  now = () => Date.now() + this.offset;
  uptime = () => performance.now();
}

/** A network that a test can cut: what is on its way breaks off, and nothing gets through. */
class Network {
  private cutting = new AbortController();
  fetch: typeof fetch = (input, init) =>
    fetch(input, { ...init, signal: AbortSignal.any([this.cutting.signal, ...(init?.signal ? [init.signal] : [])]) });
  cut() {
    this.cutting.abort(new Error('unreachable'));
  }
  mend() {
    this.cutting = new AbortController();
  }
}

async function until<T>(look: () => T | Promise<T>, isSo: (seen: T) => boolean, ms = 10_000): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const seen = await look();
    if (isSo(seen)) return seen;
    if (Date.now() > end) throw new Error(`It did not come about: ${JSON.stringify(seen)}`);
    await new Promise((done) => setTimeout(done, 25));
  }
}

describe('An installation and its platform', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let bruno: Person;
  let ngozi: Person;
  let origin: string;
  const open: LicenseClient[] = [];
  beforeEach(async () => {
    running = await openGatewayWorld();
    bruno = await running.client.signIn('bruno@atlas.example', running.password);
    ngozi = await running.client.signIn('ngozi@platform.example', running.password);
    origin = new URL(running.client.url).origin;
  }, 60_000);
  afterEach(async () => {
    await Promise.all(open.splice(0).map((client) => client.stop()));
    await running?.close();
  }, 60_000);

  function install(over: Partial<LicenseClientOptions> = {}) {
    const [clock, network, store] = [new MovedClock(), new Network(), (over.store as TestStore) ?? new TestStore()];
    const client = new LicenseClient({
      ...{ tenantId: ATLAS, rootKeys: DEVELOPMENT_ROOTS, isDevelopment: true, platform: origin },
      ...{ token: () => bruno.token, clock, fetch: network.fetch, ...over, store },
    });
    open.push(client);
    return { client, clock, network, store };
  }

  /** One that is connected and holds a file. */
  async function connected(over: Partial<LicenseClientOptions> = {}) {
    const made = install(over);
    await made.client.start();
    const isUp = () =>
      made.client.verdict().source === 'ONLINE' && made.store.text !== null && made.store.held.file !== null;
    await until(isUp, Boolean);
    return made;
  }

  const answersOf = (client: LicenseClient) => ({
    features: Object.fromEntries(FEATURE_KEYS.map((key) => [key, client.check(key)])),
    limits: Object.fromEntries(QUOTA_KEYS.map((key) => [key, [client.limit(key).limit, client.limit(key).policy]])),
  });

  async function onlineAnswers() {
    const { data } = await bruno.ask(
      '{ license { state features { feature access reason } limits { key limit isUnlimited policy } } }',
    );
    const { features, limits } = (data as { license: { features: never[]; limits: never[] } }).license;
    return {
      features: Object.fromEntries(features.map(({ feature, access, reason }) => [feature, { access, reason }])),
      limits: Object.fromEntries(
        limits.map(({ key, limit, isUnlimited, policy }) => [key, [isUnlimited ? null : BigInt(limit), policy]]),
      ),
    };
  }

  const change = (door: string, input: object) =>
    ngozi.ask(
      `mutation($input: ${door[0]?.toUpperCase()}${door.slice(1)}Input!) { ${door}(input: $input) { license { version } userErrors { message } } }`,
      { input },
    );

  test('connected it answers what the platform answers; unreachable the same, then seven days in full, for reading, and not at all', async () => {
    const { client, clock, network, store } = await connected();
    expect(payloadOf(store.held.file)).toMatchObject({ epoch: 8, sub: ATLAS, aud: 'isp-install' });
    const online = await onlineAnswers();
    expect(answersOf(client)).toEqual(online);
    expect(client.verdict()).toEqual({
      state: 'ACTIVE',
      source: 'ONLINE',
      reason: null,
      ageSeconds: expect.any(Number),
      warnings: [],
    });
    network.cut();
    await until(
      () => client.verdict().source,
      (source) => source === 'FILE',
    );
    expect(answersOf(client)).toEqual(online);
    expect(client.verdict().warnings).toEqual(['The platform cannot be reached.']);
    for (const [days, source, access] of [
      [6.9, 'FILE', 'FULL'],
      [7.1, 'OFFLINE_GRACE', 'FULL'],
      [13.9, 'OFFLINE_GRACE', 'FULL'],
      [14.1, 'OFFLINE_GRACE', 'READ'],
      [27.9, 'OFFLINE_GRACE', 'READ'],
      [28.1, 'NONE', 'NONE'],
    ] as const) {
      clock.offset = days * DAY;
      expect([client.verdict().source, client.check('fieldops').access, client.check('core').access]).toEqual([
        source,
        access,
        'FULL',
      ]);
      expect(client.verdict().warnings.length).toBe(source === 'FILE' ? 2 : 3); // what is revoked is not known either
    }
    clock.offset -= 30 * DAY; // set back a month: not believed
    expect(client.check('fieldops').access).toBe('NONE');
  }, 60_000);

  test('each byte of its file flipped, and a file of a lower epoch, is refused', async () => {
    const { client, network, store } = await connected();
    const first = store.held.file as string;
    network.cut();
    await client.stop();
    const good = Buffer.from(first);
    let accepted = 0;
    const fresh = install({ platform: undefined });
    await fresh.client.start();
    await fresh.client.bring({ keySet: await (await fetch(`${origin}/.well-known/license-jwks.json`)).text() });
    for (let place = 0; place < good.length; place++) {
      const edited = Buffer.from(good);
      edited[place] = (edited[place] ?? 0) ^ 0xff;
      if ((await fresh.client.bring({ file: edited.toString('latin1') })).source !== 'NONE') accepted += 1;
    }
    expect(accepted).toBe(0);
    expect((await fresh.client.bring({ file: first })).source).toBe('FILE');
    const { data } = await bruno.ask('mutation { issueLicenseFile(input: { idempotencyKey: "later" }) { jws } }');
    expect(
      (
        await fresh.client.bring({
          file: (data as never as { issueLicenseFile: { jws: string } }).issueLicenseFile.jws,
        })
      ).reason,
    ).toBeNull();
    expect((await fresh.client.bring({ file: first })).reason).toBe('LOWER_EPOCH');
  }, 60_000);

  test('a start waits for no platform, and says plainly that without a file only the core works', async () => {
    const hanging = install({ fetch: () => new Promise(() => undefined) });
    const began = performance.now();
    expect(await hanging.client.start()).toEqual({
      ...{ state: 'NONE', source: 'NONE', reason: 'NO_FILE', ageSeconds: null },
      warnings: [
        'There is no acceptable licence file (NO_FILE): only the core works.',
        'The platform cannot be reached.',
      ],
    });
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(hanging.client.check('core')).toEqual({ access: 'FULL', reason: null });
    open.pop(); // it can be stopped only when its requests time out
  });

  test('a change of the licence is heard, and holds also when the network is cut right after', async () => {
    const { client, network, store } = await connected();
    expect(client.check('crm').access).toBe('FULL');
    await change('setOverride', { tenantId: ATLAS, key: 'crm', isEnabled: false, reason: 'Chargeback under review.' });
    await until(
      () => client.check('crm'),
      ({ access }) => access === 'NONE',
      2_000,
    );
    expect(client.check('crm').reason).toBe('OVERRIDE_OFF');
    await until(
      () => payloadOf(store.held.file).features.crm,
      (access) => access === 'NONE',
    );
    network.cut();
    await until(
      () => client.verdict().source,
      (source) => source === 'FILE',
    );
    expect(client.check('crm')).toEqual({ access: 'NONE', reason: 'OVERRIDE_OFF' });
    expect(client.check('tickets').access).toBe('FULL');
  }, 60_000);

  test('a suspension that was heard is not lifted by cutting the network, nor by a restart without one', async () => {
    const { client, network, store } = await connected();
    await change('placeLicenseHold', {
      tenantId: ATLAS,
      kind: 'OPERATOR',
      level: 'SUSPENDED',
      reason: 'Abuse is suspected.',
    });
    await until(
      () => client.verdict().state,
      (state) => state === 'SUSPENDED',
      2_000,
    );
    expect(client.check('crm')).toEqual({ access: 'NONE', reason: 'SUSPENDED' });
    expect(client.check('core')).toEqual({ access: 'READ', reason: 'SUSPENDED' });
    network.cut();
    await until(
      () => client.verdict().source,
      (source) => source === 'FILE',
    );
    expect(client.check('crm')).toEqual({ access: 'NONE', reason: 'SUSPENDED' });
    const again = install({ store, platform: undefined });
    expect(await again.client.start()).toMatchObject({ source: 'FILE', state: 'SUSPENDED' });
    expect(again.client.check('crm').access).toBe('NONE');
    network.mend();
    await until(
      () => client.verdict().source,
      (source) => source === 'ONLINE',
    );
    const { data } = await ngozi.ask(`{ tenantLicense(tenantId: "${ATLAS}") { holds { id } } }`);
    const [hold] = (data as never as { tenantLicense: { holds: { id: string }[] } }).tenantLicense.holds;
    await change('liftLicenseHold', { id: hold?.id, reason: 'It was none.' });
    await until(
      () => client.check('crm').access,
      (access) => access === 'FULL',
      2_000,
    );
  }, 60_000);

  test('a licence that is gone closes every feature, whatever file is held', async () => {
    const { client, network } = await connected();
    const tomas = await running.client.signIn('tomas@platform.example', running.password);
    for (const person of [ngozi, tomas])
      await person.ask(
        `mutation { revokeLicense(input: { tenantId: "${ATLAS}", reason: "The contract has ended." }) { userErrors { message } } }`,
      );
    await until(
      () => client.check('crm').access,
      (access) => access === 'NONE',
    );
    expect(client.check('core').access).toBe('READ'); // what a licence that is closed leaves of it
    network.cut();
    await until(
      () => client.verdict().source,
      (source) => source !== 'ONLINE',
    );
    expect(client.check('crm').access).toBe('NONE');
  }, 60_000);

  test('after a rotation the old file works on, and the next one is believed under the new key', async () => {
    const { client, store } = await connected();
    const before = headerOf(store.held.file).kid;
    await ngozi.ask('mutation { rotateSigningKey(input: { reason: "Rehearsal." }) { userErrors { message } } }');
    const platform = tenantId('platform');
    await running.world.sql(
      `select set_config('app.tenant_id', '${platform}', false); update licensing.signing_key set active_at = now() where status = 'NEXT'`,
    );
    await tendSigningKeys(await running.world.system('platform', 'licensing'));
    expect((await client.refresh()).source).toBe('ONLINE');
    const old = install({ platform: undefined });
    await old.client.start();
    await old.client.bring({
      keySet: await (await fetch(`${origin}/.well-known/license-jwks.json`)).text(),
      file: store.held.file,
    });
    expect(old.client.check('crm').access).toBe('FULL');
    old.clock.offset = 7 * DAY - HOUR;
    expect(old.client.verdict().source).toBe('FILE');
    // It was not published a day before, so that the gateway may not know the new key yet.
    const published = async () => (await fetch(`${origin}/.well-known/license-jwks.json`)).text();
    const [{ kid }] = await running.world.sql("select kid from licensing.signing_key where status = 'ACTIVE'");
    await until(published, (text) => text.includes(kid), 20_000);
    await change('setOverride', {
      tenantId: ATLAS,
      key: 'devices',
      limit: '77',
      reason: 'A change asks for a new file.',
    });
    await until(
      async () => {
        await client.refresh();
        return headerOf(store.held.file).kid;
      },
      (held) => held !== before && held === kid,
    );
    expect(client.limit('devices').limit).toBe(77n);
  }, 60_000);

  test('a revoked file is refused within a minute of its revocation, and a new one is fetched', async () => {
    const { client, store } = await connected();
    const { jti } = payloadOf(store.held.file);
    const revokedAt = Date.now();
    await ngozi.ask(
      `mutation { revokeLicenseFile(input: { id: "${jti}", reason: "The machine was stolen." }) { userErrors { message } } }`,
    );
    const stolen = install({ platform: undefined, store: Object.assign(new TestStore(), { text: store.text }) });
    expect((await stolen.client.start()).source).toBe('FILE');
    const listed = async () => (await fetch(`${origin}/.well-known/license-revocations.jws`)).text();
    const revocations = await until(listed, (text) => payloadOf<{ jtis: string[] }>(text).jtis.includes(jti), 60_000);
    expect(Date.now() - revokedAt).toBeLessThan(60_000);
    expect(await stolen.client.bring({ revocations })).toMatchObject({ source: 'NONE', reason: 'REVOKED' });
    await client.refresh();
    await until(
      () => payloadOf(store.held.file).jti,
      (held) => held !== jti,
    );
    expect(client.check('crm').access).toBe('FULL');
  }, 90_000);

  test('a file is renewed at half its life, an installation a little earlier and another a little later', async () => {
    const life = { iat: 1_000, exp: 1_000 + 168 * 3_600 };
    expect([0, 0.5, 1].map((random) => (renewalAt(life, random) / 1_000 - 1_000) / 3_600)).toEqual([75.6, 84, 92.4]);
    const { client, clock, store } = await connected({ ttlHours: 24, random: () => 0.5 });
    const { epoch } = payloadOf(store.held.file);
    clock.offset = 12 * HOUR - 60_000;
    await client.refresh();
    expect(payloadOf(store.held.file).epoch).toBe(epoch);
    clock.offset = 12 * HOUR + 60_000;
    await client.refresh();
    expect(payloadOf(store.held.file).epoch).toBe(epoch + 1);
    await client.refresh(); // its clock is twelve hours ahead: it asks again, but not at once
    expect(payloadOf(store.held.file).epoch).toBe(epoch + 1);
  }, 60_000);

  test('as it is built, a stranger runs it by its example', async () => {
    const root = resolve(import.meta.dirname, '../../..');
    await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'clients/license'], { cwd: root });
    const { stdout } = await run(process.execPath, ['clients/license/example.mjs'], {
      ...{ cwd: root, timeout: 50_000 },
      env: { ...process.env, PLATFORM: origin, EMAIL: 'bruno@atlas.example', PASSWORD: running.password },
    });
    expect(stdout).toContain("source: 'ONLINE'");
    expect(stdout).toContain("crm { access: 'FULL', reason: null }");
    expect(stdout).toContain("source: 'FILE'");
  }, 90_000);
});
