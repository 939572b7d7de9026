/// <reference lib="dom" />
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { openGatewayWorld, type Person } from '../setup/gateway.ts';

const CHROMIUM = '/usr/bin/chromium';
/** Where screenshots go when somebody wants to look; nowhere otherwise. */
const SHOTS = process.env.SCREENSHOTS;

const KESTREL = '01990000-0000-7000-8000-000000000a01';

/** Set in the page by the tests: gone after a reload. */
declare global {
  interface Window {
    isSamePage?: boolean;
    menuChanges?: { at: number; items: string[] }[];
  }
}

const menu = (page: Page) => page.getByRole('navigation', { name: 'Menu' });
const item = (page: Page, name: string) => menu(page).getByRole('button', { name, exact: true });
const main = (page: Page) => page.getByRole('main');

/** From now on the page notes when its menu changes, by the clock of this machine. */
async function watchMenu(page: Page): Promise<void> {
  await page.evaluate(() => {
    const nav = document.querySelector('nav') as HTMLElement;
    const changes: { at: number; items: string[] }[] = [];
    const note = () =>
      changes.push({ at: Date.now(), items: [...nav.querySelectorAll('li')].map((li) => li.textContent ?? '') });
    new MutationObserver(note).observe(nav, { childList: true, subtree: true });
    window.isSamePage = true;
    window.menuChanges = changes;
  });
}

/** When the menu last came to hold an item, or to hold it no more. */
async function changedAt(page: Page, name: string, isThere: boolean): Promise<number> {
  const changes = (await page.evaluate(() => window.menuChanges)) ?? [];
  return changes.findLast(({ items }) => items.includes(name) === isThere)?.at ?? Number.NaN;
}

(existsSync(CHROMIUM) ? describe : describe.skip)('The example portal in the browser', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let browser: Browser;
  let base: string;
  let ngozi: Person;
  const faults: string[] = [];
  const abroad: string[] = [];
  beforeAll(async () => {
    running = await openGatewayWorld({ NODE_ENV: 'development' });
    base = running.client.url.replace('/graphql', '');
    ngozi = await running.client.signIn('ngozi@platform.example', running.password);
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-background-networking'],
    });
    if (SHOTS) mkdirSync(SHOTS, { recursive: true });
  }, 90_000);
  afterEach(() => {
    expect([...faults.splice(0), ...abroad.splice(0)]).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await running?.close();
  });

  const shoot = async (page: Page, name: string) => {
    if (SHOTS) await page.screenshot({ path: join(SHOTS, `${name}.png`) });
  };
  const open = async (email: string) => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().includes('402')) faults.push(message.text());
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(base) && !request.url().startsWith('data:')) abroad.push(request.url());
    });
    await page.goto(`${base}/examples/license`);
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill(running.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await item(page, 'Customers').waitFor();
    return page;
  };
  const switchFeature = async (key: string, isEnabled: boolean | null) => {
    const at = Date.now();
    const input = { tenantId: KESTREL, key, reason: 'From another session.' };
    const { errors } =
      isEnabled === null
        ? await ngozi.ask(
            'mutation($input: RemoveOverrideInput!) { removeOverride(input: $input) { userErrors { message } } }',
            { input },
          )
        : await ngozi.ask(
            'mutation($input: SetOverrideInput!) { setOverride(input: $input) { userErrors { message } } }',
            { input: { ...input, isEnabled } },
          );
    expect(errors).toBeUndefined();
    return at;
  };

  test('a menu item appears and vanishes as the licence changes, the open panel says what would open it and for how much, and the button buys it, all without a reload', async () => {
    const page = await open('wren@kestrel.example');
    await item(page, 'Tickets').waitFor();
    await expect(item(page, 'CRM').count()).resolves.toBe(0);
    await watchMenu(page);
    await shoot(page, 'portal-starter');

    const switchedOnAt = await switchFeature('crm', true);
    await item(page, 'CRM').click();
    await main(page).getByRole('heading', { name: 'CRM', exact: true }).waitFor();
    const toAppear = (await changedAt(page, 'CRM', true)) - switchedOnAt;
    await shoot(page, 'portal-crm');

    const switchedOffAt = await switchFeature('crm', null);
    await main(page).getByRole('heading', { name: 'CRM is not part of your plan' }).waitFor();
    await item(page, 'CRM').waitFor({ state: 'detached' });
    const toVanish = (await changedAt(page, 'CRM', false)) - switchedOffAt;
    await main(page).getByText('$299.00 a month').waitFor();
    await main(page).getByText('due today').first().waitFor();
    await shoot(page, 'portal-prompt');

    await main(page).getByRole('button', { name: 'Upgrade to Professional' }).click();
    await item(page, 'CRM').waitFor();
    await main(page).getByRole('heading', { name: 'CRM', exact: true }).waitFor();
    await item(page, 'Projects').waitFor();
    await page.getByText('Professional ·').waitFor();
    await shoot(page, 'portal-professional');

    console.log(`From the mutation to the menu: ${toAppear} ms to appear, ${toVanish} ms to vanish.`);
    expect(toAppear).toBeLessThan(1_000);
    expect(toVanish).toBeLessThan(1_000);
    expect(await page.evaluate(() => window.isSamePage)).toBe(true);
    expect(await page.evaluate(() => performance.getEntriesByType('navigation').length)).toBe(1);
    await page.close();
  }, 60_000);
});
