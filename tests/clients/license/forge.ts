import { createHmac, type KeyObject, sign } from 'node:crypto';
import type { LicenseClientOptions } from '../../../clients/license/src/client.ts';
import { LicenseClient, type LicenseStore } from '../../../clients/license/src/index.ts';
import { ed25519FromSeed, ed25519PublicOf } from '../../../subgraphs/_kernel/dev-secrets.ts';
import { kidOf, type Signer, signJws } from '../../../subgraphs/licensing/files/jws.rules.ts';
import { filePayload } from '../../../subgraphs/licensing/files/license-file.rules.ts';
import { licensed, PROFESSIONAL } from '../../licensing/facts.ts';

const seedOf = (name: string) => createHmac('sha256', 'client tests').update(name).digest('base64url');
const signerOf = (name: string): Signer & { x: string } => {
  const x = ed25519PublicOf(seedOf(name));
  return { kid: kidOf(x), x, privateKey: ed25519FromSeed(seedOf(name)) };
};

export const ROOTS = [signerOf('root 1'), signerOf('root 2')] as const;
export const KEY = signerOf('key 1');
export const KEY_2 = signerOf('key 2');
export const STRANGER = signerOf('stranger');
export const TENANT = '01990000-0000-7000-8000-000000000a05';
export const INSTALLATION = '01990000-0000-7000-8000-000000008a51';

export const DAY = 86_400_000;
/** When the files of these tests are issued. */
export const ISSUED = Date.UTC(2027, 2, 1);
const seconds = (ms: number) => Math.floor(ms / 1_000);

/** What a root says of a key: from two days before the tests on, for three years. */
export const stated = (key: Signer & { x: string }, root: Signer = ROOTS[0], over: object = {}) => {
  const iat = seconds(ISSUED - 2 * DAY);
  return signJws('isp-license-key+jwt', { iat, exp: iat + 3 * 365 * 86_400, kid: key.kid, x: key.x, ...over }, root);
};
export const keySet = (...statements: string[]) =>
  JSON.stringify({ keys: statements.map((statement) => ({ statement })) });

export const payload = (over: object = {}, ttlHours = 168) => ({
  ...filePayload(licensed({ plan: PROFESSIONAL }), new Date(ISSUED), {
    ...{ issuer: 'https://isp.example', tenantId: TENANT, installationId: null, fileId: 'file 1' },
    ...{ epoch: 7, licenseVersion: 3, ttlHours },
  }),
  ...over,
});
export const file = (over: object = {}, key: Signer = KEY) => signJws('isp-license+jwt', payload(over), key);

export const list = (over: object = {}, key: Signer = KEY) => {
  const iat = seconds(ISSUED);
  const nothing = { seq: iat, iat, nextUpdate: iat + 86_400, jtis: [], kids: [], minEpochs: {} };
  return signJws('isp-license-revocations+jwt', { ...nothing, ...over }, key);
};

const encode = (value: string) => Buffer.from(value).toString('base64url');
/** Any header and payload, signed all the same. */
export function forged(header: string, body: string, key: KeyObject = KEY.privateKey): string {
  const text = `${encode(header)}.${encode(body)}`;
  return `${text}.${sign(null, Buffer.from(text), key).toString('base64url')}`;
}

/** A clock that a test moves; the process runs on as the test says. */
export class TestClock {
  wall = ISSUED + 3_600_000;
  ran = 0;
  now = () => this.wall;
  uptime = () => this.ran;
}

/** A store in memory, with what it holds for all to see and change. */
export class TestStore implements LicenseStore {
  text: string | null = null;
  async read() {
    return this.text;
  }
  async write(text: string) {
    this.text = text;
  }
  get held() {
    return JSON.parse(String(this.text));
  }
}

/** A client with a clock and a store of the test's. */
export function install(over: Partial<LicenseClientOptions> = {}) {
  const clock = (over.clock as TestClock | undefined) ?? new TestClock();
  const store = (over.store as TestStore | undefined) ?? new TestStore();
  const rootKeys = ROOTS.map(({ x }) => x);
  const client = new LicenseClient({ tenantId: TENANT, installationId: INSTALLATION, rootKeys, ...over, clock, store });
  return { client, clock, store };
}

/** The same with a file that was accepted. */
export async function installed(over: Partial<LicenseClientOptions> = {}) {
  const made = install(over);
  await made.client.start();
  await made.client.bring({ keySet: keySet(stated(KEY), stated(KEY_2, ROOTS[1])), file: file() });
  return made;
}
