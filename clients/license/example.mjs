// Follows the licence of an ISP for a moment, against a DotMac platform in development:
//   npm start                                   in the platform's repository; it prints the password
//   npm run build:clients
//   PASSWORD=… node clients/license/example.mjs
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LicenseClient } from './dist/index.js';

const { PLATFORM = 'http://localhost:4000', EMAIL = 'bruno@atlas.example', PASSWORD = '' } = process.env;

/** An installation of your own has a credential of its own; the example signs in as a person. */
async function signIn() {
  const response = await fetch(`${PLATFORM}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      query: 'mutation($input: SignInInput!) { signIn(input: $input) { session { accessToken tenant { id } } } }',
      variables: { input: { email: EMAIL, password: PASSWORD, transport: 'BODY' } },
    }),
  });
  const { session } = (await response.json()).data.signIn;
  return { token: session.accessToken, tenantId: session.tenant.id };
}

const { token, tenantId } = await signIn();
const license = new LicenseClient({
  platform: PLATFORM,
  tenantId,
  token: () => token,
  // The roots of a development platform. Pin those of yours, and leave out `isDevelopment`.
  rootKeys: ['wbXE_B-ADWnHGShvVySAQaczfHXCyuge4F0M-H0FZnM', 'T04L1qBmClR81uXYx7mlTExzNAI50_NaU7z3td5VGEY'],
  isDevelopment: true,
  file: join(mkdtempSync(join(tmpdir(), 'license-')), 'license.json'),
});

console.log('at the start', await license.start());
for (let tries = 0; tries < 40 && license.verdict().source !== 'ONLINE'; tries++) await sleep(250);
await license.refresh();
console.log('connected', license.verdict());
for (const feature of ['core', 'crm', 'analytics.insights']) console.log(feature, license.check(feature));
console.log('subscribers', license.limit('subscribers'));
await license.stop();
console.log('on its own', license.verdict());
