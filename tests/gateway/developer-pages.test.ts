/// <reference lib="dom" />
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { answerFor } from '../setup/codes.ts';
import { openGatewayWorld } from '../setup/gateway.ts';

const CHROMIUM = '/usr/bin/chromium';
/** Where screenshots go when somebody wants to look; nowhere otherwise. */
const SHOTS = process.env.SCREENSHOTS;

const KESTREL = '01990000-0000-7000-8000-000000000a01';

/** Replaces the text of GraphiQL's query editor and runs it. */
async function run(page: Page, query: string): Promise<void> {
  await page.locator('.graphiql-query-editor .CodeMirror').click();
  await page.evaluate((text) => {
    const editor = document.querySelector('.graphiql-query-editor .CodeMirror') as unknown as {
      CodeMirror: { setValue(text: string): void };
    };
    editor.CodeMirror.setValue(text);
  }, query);
  await page.waitForTimeout(500); // GraphiQL reads the new text a moment later
  await page.locator('button.graphiql-execute-button').click();
}

const answer = (page: Page) => page.locator('.result-window');

(existsSync(CHROMIUM) ? describe : describe.skip)('A developer in the browser, without the internet', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let browser: Browser;
  let base: string;
  beforeAll(async () => {
    running = await openGatewayWorld({ NODE_ENV: 'development' });
    base = running.client.url.replace('/graphql', '');
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-background-networking'],
    });
    if (SHOTS) mkdirSync(SHOTS, { recursive: true });
  }, 90_000);
  afterAll(async () => {
    await browser?.close();
    await running?.close();
  });
  const shoot = async (page: Page, name: string) => {
    if (SHOTS) await page.screenshot({ path: join(SHOTS, `${name}.png`) });
  };

  test('GraphiQL signs in and runs a query, a mutation and a subscription', async () => {
    const page = await browser.newPage({ viewport: { width: 1400, height: 800 } });
    const faults: string[] = [];
    const abroad: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith(base) && !request.url().startsWith('data:') && !request.url().startsWith('blob:'))
        abroad.push(request.url());
    });
    await page.goto(`${base}/graphiql`);
    await page.fill('#sign-in input[name=email]', 'ngozi@platform.example');
    await page.fill('#sign-in input[name=password]', 'wrong password here');
    await page.click('#sign-in button:not([type=button])');
    await page.waitForFunction(() => document.getElementById('who')?.textContent?.includes('not right'));

    await page.fill('#sign-in input[name=password]', running.password);
    await page.click('#sign-in button:not([type=button])');
    await page.waitForFunction(() => document.getElementById('who')?.textContent?.includes('Type the code'));
    await page.fill(
      '#sign-in input[name=code]',
      await answerFor('ngozi@platform.example', running.password, running.world.databaseUrl),
    );
    await page.click('#sign-in button:not([type=button])');
    await page.waitForFunction(() => document.getElementById('who')?.textContent?.includes('Platform Operations'));

    await run(page, '{ tenant { slug license { state } } }');
    await answer(page)
      .getByText('"internal"')
      .or(answer(page).getByText('"ACTIVE"'))
      .first()
      .waitFor({ timeout: 10_000 });
    await shoot(page, 'graphiql-query');

    await run(
      page,
      `mutation { setOverride(input: { tenantId: "${KESTREL}", key: "crm", isEnabled: true, reason: "From the page." }) { license { version } userErrors { message } } }`,
    );
    await answer(page).getByText('"version"').first().waitFor({ timeout: 10_000 });
    await shoot(page, 'graphiql-mutation');

    await page.fill('#sign-in input[name=email]', 'wren@kestrel.example');
    await page.click('#sign-in button:not([type=button])');
    await page.waitForFunction(() => document.getElementById('who')?.textContent?.includes('Kestrel'));
    await run(page, 'subscription { licenseUpdated { kind version changedKeys license { enabledFeatures } } }');
    await answer(page).getByText('"SNAPSHOT"').waitFor({ timeout: 10_000 });
    const ngozi = await running.client.signIn('ngozi@platform.example', running.password);
    await ngozi.ask(
      `mutation { removeOverride(input: { tenantId: "${KESTREL}", key: "crm", reason: "From outside." }) { userErrors { message } } }`,
    );
    await answer(page).getByText('"DELTA"').waitFor({ timeout: 5_000 });
    await answer(page).getByText('"features.crm"').waitFor({ timeout: 5_000 });
    await shoot(page, 'graphiql-subscription');
    expect(faults).toEqual([]);
    expect(abroad).toEqual([]);
    await page.close();
  }, 60_000);

  test('the page of Apollo Sandbox is served, with a token in its first request’s headers', async () => {
    const response = await fetch(`${base}/graphql`, { headers: { accept: 'text/html' } });
    expect(response.status).toBe(200);
    const html = await response.text();
    expect(html).toContain('embeddable-sandbox');
    const page = await browser.newPage();
    await page.goto(`${base}/graphql`, { waitUntil: 'domcontentloaded' });
    await page.waitForTimeout(500);
    await shoot(page, 'sandbox');
    await page.close();
  });

  test('outside development neither page is there', async () => {
    const production = await openGatewayWorld();
    try {
      for (const path of ['/graphiql', '/graphiql/page.js'])
        expect((await fetch(production.client.url.replace('/graphql', path))).status).toBe(404);
      const page = await fetch(production.client.url, { headers: { accept: 'text/html' } });
      expect(await page.text()).not.toContain('embeddable-sandbox');
    } finally {
      await production.close();
    }
  }, 60_000);
});
