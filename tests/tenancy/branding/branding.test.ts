import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { openGatewayWorld, type Person } from '../../setup/gateway.ts';
import { INGRID } from '../../setup/world.ts';

const ERRORS = 'userErrors { code message field }';
const LOOKS = 'branding { version displayName primaryColor logoLight }';
const UPDATE = `mutation($input: BrandingInput!) { updateBranding(input: $input) { ${LOOKS} ${ERRORS} } }`;
const LABEL = `mutation($input: WhiteLabelInput!) { updateWhiteLabel(input: $input) { branding { version whiteLabel { font isShown } } ${ERRORS} } }`;
const AT_HOST =
  'query($host: String!) { brandingForHost(host: $host) { slug displayName primaryColor font accentColor hidePoweredBy logoLight redirectTo } }';
const PNG = Buffer.concat([
  Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
  Buffer.from('a small picture'),
]);
const NORTHWIND = '01990000-0000-7000-8000-000000000a02';
const PORTAL = 'portal.northwind.example';

interface Answer {
  branding: {
    version: number;
    displayName: string;
    primaryColor: string;
    logoLight: string | null;
    whiteLabel?: object;
  } | null;
  userErrors: { code: string; message: string; field: string | null }[];
}

describe('A tenant looks like itself', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let ingrid: Person;
  let wren: Person;
  let ngozi: Person;
  beforeAll(async () => {
    running = await openGatewayWorld();
    const signIn = (mail: string) => running.client.signIn(`${mail}.example`, running.password);
    [ingrid, wren, ngozi] = await Promise.all([
      signIn('ingrid@northwind'),
      signIn('wren@kestrel'),
      signIn('ngozi@platform'),
    ]);
  });
  afterAll(() => running?.close());

  /** What a browser is answered at a host and path of the gateway. */
  const pageAt = (host: string, path: string, { accept = 'text/html', method = 'GET' } = {}): Promise<string> =>
    new Promise((resolve, reject) => {
      const { port } = new URL(running.client.url);
      const options = { host: '127.0.0.1', port, path, method, headers: { host, accept } };
      const sent = request(options, (response) => {
        response.resume();
        resolve(`${response.statusCode} ${response.headers.location}`);
      });
      sent.on('error', reject).end();
    });

  const untilLed = async (answer: string) => {
    const page = () => pageAt(PORTAL, '/bills?month=2026-11&x=//y');
    for (let tries = 0; tries < 40 && (await page()) !== answer; tries++) await sleep(50);
    expect(await page()).toBe(answer);
  };

  const change = async (who: Person, document: string, input: object): Promise<Answer> => {
    const { data, errors } = await who.ask<Record<string, Answer>, object>(document, { input });
    if (!data) throw new Error(JSON.stringify(errors));
    return Object.values(data)[0] as Answer;
  };
  const versionOf = async (who: Person) =>
    (await who.ask<{ tenant: { branding: { version: number } } }, object>('{ tenant { branding { version } } }')).data
      ?.tenant.branding.version as number;
  const atHost = async (host: string) =>
    (await running.client.post<{ brandingForHost: Record<string, unknown> }, object>(AT_HOST, { host })).data
      ?.brandingForHost;

  test('its domain and its platform name show it to anybody; a host of nobody’s shows the platform', async () => {
    const shown = {
      slug: 'northwind',
      displayName: 'Northwind Fibre',
      font: 'inter',
      accentColor: '#5B3CC4',
      hidePoweredBy: true,
      redirectTo: null,
    };
    expect(await atHost(PORTAL)).toMatchObject(shown);
    expect(await atHost('Portal.Northwind.Example.:443')).toMatchObject(shown);
    expect(await atHost('northwind.isp.example')).toMatchObject(shown);
    expect(await atHost('kestrel.isp.example')).toMatchObject({
      slug: 'kestrel',
      displayName: 'Kestrel Wireless',
      font: null,
      hidePoweredBy: false,
    });
    for (const host of [
      'nobodys.example',
      'nobody.isp.example',
      'clientes.atlas.example',
      '',
      'x\u0001y',
      'a'.repeat(5_000),
    ])
      expect(await atHost(host)).toMatchObject({ slug: 'platform', displayName: 'Platform Operations' });
  });

  test('#777777 is refused with its contrast of 4.48, #767676 is taken', async () => {
    const expectedVersion = await versionOf(wren);
    const refused = await change(wren, UPDATE, { expectedVersion, primaryColor: '#777777' });
    expect(refused.userErrors).toEqual([
      {
        code: 'INVALID',
        field: 'primaryColor',
        message: 'Text of #FFFFFF on #777777 has a contrast of 4.48; it takes 4.5.',
      },
    ]);
    expect((await change(wren, UPDATE, { expectedVersion, primaryColor: '#767676' })).branding).toMatchObject({
      version: expectedVersion + 1,
      primaryColor: '#767676',
    });
    expect(await atHost('kestrel.isp.example')).toMatchObject({ primaryColor: '#767676' });
    const late = await change(wren, UPDATE, { expectedVersion, primaryColor: '#000000' });
    expect(late).toMatchObject({
      branding: { version: expectedVersion + 1, primaryColor: '#767676' },
      userErrors: [{ code: 'CONFLICT' }],
    });
  });

  test('a logo is served to everybody under its hash, and is gone once it is taken away', async () => {
    const expectedVersion = await versionOf(wren);
    const { branding } = await change(wren, UPDATE, { expectedVersion, logoLight: PNG.toString('base64') });
    const { pathname } = new URL(String(branding?.logoLight));
    const get = () => fetch(new URL(pathname, running.client.url));
    const served = await get();
    expect([served.status, served.headers.get('content-type'), served.headers.get('x-content-type-options')]).toEqual([
      200,
      'image/png',
      'nosniff',
    ]);
    expect(Buffer.from(await served.arrayBuffer())).toEqual(PNG);
    await change(wren, UPDATE, { expectedVersion: expectedVersion + 1, logoLight: null });
    expect((await get()).status).toBe(404);
    expect((await fetch(new URL(`/brand/${NORTHWIND}/${'0'.repeat(64)}.png`, running.client.url))).status).toBe(404);
  });

  describe('A picture too large for a request', () => {
    const REQUEST = `mutation { requestBrandUpload { upload { id url maxBytes } ${ERRORS} } }`;
    interface Upload {
      id: string;
      url: string;
      maxBytes: number;
    }
    const place = async (who: Person) => {
      const { data } = await who.ask<{ requestBrandUpload: { upload: Upload; userErrors: object[] } }, object>(REQUEST);
      return data?.requestBrandUpload as { upload: Upload; userErrors: object[] };
    };
    const put = async ({ url }: { url: string }, content: Buffer, method = 'PUT') =>
      (await fetch(new URL(new URL(url).pathname, running.client.url), { method, body: new Uint8Array(content) }))
        .status;
    const large = Buffer.concat([PNG, Buffer.alloc(512 * 1024 - PNG.length, 7)]);

    test('of 512 kB is put where its owner is told to, once, and shown once it is named', async () => {
      const { upload } = await place(wren);
      expect(upload.maxBytes).toBe(512 * 1024);
      const expectedVersion = await versionOf(wren);
      const name = () => change(wren, UPDATE, { expectedVersion, logoLight: upload.id });
      expect((await name()).userErrors).toMatchObject([{ code: 'NOT_FOUND', field: 'logoLight' }]);
      expect(await put(upload, large)).toBe(204);
      expect(await put(upload, large)).toBe(404);
      const foreign = await change(ingrid, UPDATE, { expectedVersion: await versionOf(ingrid), logoLight: upload.id });
      expect(foreign.userErrors).toMatchObject([{ code: 'NOT_FOUND', field: 'logoLight' }]);
      const shown = new URL(String((await name()).branding?.logoLight));
      const served = await fetch(new URL(shown.pathname, running.client.url));
      expect(Buffer.from(await served.arrayBuffer()).equals(large)).toBe(true);
      const again = await change(wren, UPDATE, { expectedVersion: expectedVersion + 1, logoDark: upload.id });
      expect(again.userErrors).toMatchObject([{ code: 'NOT_FOUND', field: 'logoDark' }]);
      await change(wren, UPDATE, { expectedVersion: expectedVersion + 1, logoLight: null });
    });

    test('is refused when it is larger, none at all, late, or put where nobody said', async () => {
      const { upload } = await place(wren);
      expect(await put(upload, Buffer.concat([large, PNG]))).toBe(413);
      expect(await put(upload, Buffer.from('<svg/>'))).toBe(400);
      expect(await put({ url: `${upload.url.slice(0, -2)}xx` }, PNG)).toBe(404);
      expect(await put(upload, PNG, 'POST')).toBe(404);
      expect((await fetch(new URL(new URL(upload.url).pathname, running.client.url))).status).toBe(404);
      expect(await put(upload, PNG)).toBe(204); // the place was still good
      const late = (await place(wren)).upload;
      await running.world.sql(
        `select set_config('app.tenant_id', '01990000-0000-7000-8000-000000000a01', false);
         update tenancy.brand_upload set ends_at = now() where id = '${late.id}'`,
      );
      expect(await put(late, PNG)).toBe(404);
    });

    test('is not awaited of many at once, nor of who may not change the looks', async () => {
      const answers = [];
      for (let n = 0; n < 21; n++) answers.push((await place(wren)).userErrors);
      expect(answers[0]).toEqual([]);
      expect(answers.at(-1)).toMatchObject([{ code: 'LIMIT_REACHED' }]);
      const ada = await running.client.signIn('ada@kestrel.example', running.password);
      expect((await ada.ask(REQUEST)).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    });
  });

  test('an SVG, a picture of 600 kB and a script for an address are refused with their field', async () => {
    const expectedVersion = await versionOf(wren);
    const svg = Buffer.from('<svg/>').toString('base64');
    for (const [field, value] of [
      ['logoDark', svg],
      ['termsUrl', 'javascript:alert(1)'],
      ['supportPhone', '911'],
    ])
      expect((await change(wren, UPDATE, { expectedVersion, [String(field)]: value })).userErrors).toMatchObject([
        { code: 'INVALID', field },
      ]);
    const large = Buffer.concat([PNG, Buffer.alloc(600 * 1024)]).toString('base64');
    const { data } = await running.world.ask(INGRID, 'tenancy', UPDATE, {
      input: { expectedVersion: 3, logoLight: large },
    });
    expect(data?.updateBranding).toMatchObject({ userErrors: [{ code: 'INVALID', field: 'logoLight' }] });
    expect(await versionOf(wren)).toBe(expectedVersion);
  });

  test('a font takes a white label; who may not change the looks is refused', async () => {
    const { data, errors } = await wren.ask<Record<string, Answer>, object>(LABEL, {
      input: { expectedVersion: 1, font: 'inter' },
    });
    expect(data?.updateWhiteLabel).toBeNull();
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'FEATURE_NOT_LICENSED', feature: 'white_label' });
    const seen = await wren.ask<{ tenant: { branding: { whiteLabel: null } } }, object>(
      '{ tenant { branding { displayName whiteLabel { font } } } }',
    );
    expect(seen.data?.tenant.branding).toMatchObject({ displayName: 'Kestrel Wireless', whiteLabel: null });
    expect(seen.errors?.[0]?.extensions.code).toBe('FEATURE_NOT_LICENSED');
    const ada = await running.client.signIn('ada@kestrel.example', running.password);
    expect((await ada.ask(UPDATE, { input: { expectedVersion: 1 } })).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    const bad = await change(ingrid, LABEL, { expectedVersion: await versionOf(ingrid), font: 'comic_sans' });
    expect(bad.userErrors).toMatchObject([{ code: 'INVALID', field: 'font' }]);
  });

  test('when the grant ends her font is not shown and the domain leads on; a new grant brings it back', async () => {
    const [grant] = await running.world.sql(
      "select id from licensing.grant where tenant_id = $1 and key = 'white_label'",
      [NORTHWIND],
    );
    const END = 'mutation($input: EndGrantInput!) { endGrant(input: $input) { userErrors { code message } } }';
    const ended = await ngozi.ask<{ endGrant: { userErrors: object[] } }, object>(END, {
      input: { id: grant.id, reason: 'The trial of their brand is over.' },
    });
    expect([ended.data?.endGrant.userErrors, ended.errors]).toEqual([[], undefined]);
    await running.world.untilNoJobs();
    expect(await atHost(PORTAL)).toMatchObject({
      ...{ slug: 'northwind', displayName: 'Northwind Fibre', primaryColor: '#0A7E8C' },
      font: null,
      accentColor: null,
      hidePoweredBy: false,
      redirectTo: 'https://northwind.isp.example',
    });
    expect(await atHost('northwind.isp.example')).toMatchObject({ font: null, redirectTo: null });
    await untilLed('308 https://northwind.isp.example/bills?month=2026-11&x=//y');
    expect(await pageAt(PORTAL, '/graphql')).toBe('308 https://northwind.isp.example/graphql');
    expect(await pageAt('northwind.isp.example', '/')).toBe('302 /graphql');
    expect(await pageAt(PORTAL, '/health/live')).toBe('200 undefined');
    expect(await pageAt(PORTAL, '/graphql?query={__typename}')).not.toMatch(/^308/);
    expect(await pageAt(PORTAL, '/bills', { accept: 'application/json' })).toBe('404 undefined');
    expect(await pageAt(PORTAL, '/graphql', { method: 'POST' })).not.toMatch(/^30/);
    const GRANT =
      'mutation($input: GrantEntitlementInput!) { grantEntitlement(input: $input) { userErrors { code message } } }';
    const given = await ngozi.ask<{ grantEntitlement: { userErrors: object[] } }, object>(GRANT, {
      input: {
        tenantId: NORTHWIND,
        kind: 'FEATURE',
        key: 'white_label',
        source: 'SALES',
        reason: 'They bought it.',
        idempotencyKey: 'again',
      },
    });
    expect([given.data?.grantEntitlement.userErrors, given.errors]).toEqual([[], undefined]);
    await running.world.untilNoJobs();
    expect(await atHost(PORTAL)).toMatchObject({
      font: 'inter',
      accentColor: '#5B3CC4',
      hidePoweredBy: true,
      redirectTo: null,
    });
    await untilLed('404 undefined');
  });
});
