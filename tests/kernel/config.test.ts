import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, envExample, readConfig, SECRETS, SETTINGS } from '../../subgraphs/_kernel/config.ts';
import { devSecrets, ed25519PublicOf } from '../../subgraphs/_kernel/dev-secrets.ts';

const key = () => randomBytes(32).toString('base64url');
const SECRET_ENV: Record<string, string> = {
  DATABASE_ROLE_SECRET: key(),
  ENVELOPE_PRIVATE_KEY: key(),
  ENVELOPE_PUBLIC_KEYS: ed25519PublicOf(key()),
  MASTER_KEY: key(),
  CERTIFICATE_KEY: key(),
  IDENTITY_DATA_KEY: key(),
  IDENTITY_MAC_KEY: key(),
};
const PRODUCTION: Record<string, string> = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://ops@db.internal/dotmac',
  ...SECRET_ENV,
};

/** The lines of the one message with which a start is refused. */
function faultsOf(env: NodeJS.ProcessEnv, drawn: Record<string, string> = {}): string[] {
  try {
    readConfig(env, drawn);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const [head, ...faults] = error.message.split('\n');
    expect(head).toBe('The environment does not allow a start:');
    return faults.map((fault) => fault.replace('  - ', ''));
  }
  return [];
}

describe('one message says everything that is wrong', () => {
  test('with what is malformed and what is missing, by name and without a value', () => {
    const faults = faultsOf({
      NODE_ENV: 'production',
      PORT: '99999',
      DATABASE_POOL: 'many',
      DATABASE_ROLE_SECRET: 'hunter2',
      PUBLIC_URL: 'not a url',
      TRUST_PROXY: 'perhaps',
      LOG_LEVEL: 'loud',
    });
    const named = faults.map((fault) => fault.split(':')[0]);
    const missing = [
      'ENVELOPE_PRIVATE_KEY',
      'ENVELOPE_PUBLIC_KEYS',
      'MASTER_KEY',
      'CERTIFICATE_KEY',
      'IDENTITY_DATA_KEY',
      'IDENTITY_MAC_KEY',
      'DATABASE_URL',
    ];
    expect(named.sort()).toEqual(
      ['PORT', 'DATABASE_POOL', 'DATABASE_ROLE_SECRET', 'PUBLIC_URL', 'TRUST_PROXY', 'LOG_LEVEL', ...missing].sort(),
    );
    expect(faults.join()).not.toMatch(/hunter2|perhaps|loud|many/);
  });

  test('with the sentence of what is missing, so that nobody has to look it up', () => {
    const { IDENTITY_MAC_KEY: _, ...env } = PRODUCTION;
    expect(faultsOf(env)).toEqual([`IDENTITY_MAC_KEY: is missing. ${SETTINGS.IDENTITY_MAC_KEY[1]}`]);
  });

  test.each<[string, string, string]>([
    ['a secret of another length', 'IDENTITY_DATA_KEY', randomBytes(31).toString('base64url')],
    ['a secret in another spelling', 'IDENTITY_MAC_KEY', `${randomBytes(31).toString('base64')}=`],
    ['a database of another make', 'DATABASE_URL', 'mysql://ops@db.internal/dotmac'],
    ['a port that is no number', 'PORT', '4000a'],
    ['a port with a fraction', 'PORT', '4000.5'],
    ['a pool without room', 'DATABASE_POOL', '1'],
    ['a deadline nobody could keep', 'SUBGRAPH_TIMEOUT_MS', '5'],
    ['an environment we do not know', 'NODE_ENV', 'staging'],
    ['a public key that is none', 'ENVELOPE_PUBLIC_KEYS', `${ed25519PublicOf(key())},nonsense`],
    ['a list of no public keys', 'ENVELOPE_PUBLIC_KEYS', ' , '],
  ])('%s', (_name, name, value) => {
    expect(faultsOf({ ...PRODUCTION, [name]: value })).toEqual([expect.stringContaining(`${name}: `)]);
  });
});

describe('in production', () => {
  test('a complete environment starts, and what it leaves out has its default', () => {
    expect(readConfig(PRODUCTION)).toMatchObject({
      NODE_ENV: 'production',
      PORT: 4000,
      HOST: '127.0.0.1',
      TRUST_PROXY: false,
      SUBGRAPH_URLS: [],
    });
  });

  test.each([
    ['FEATURE_OVERRIDE', 'crm,-tickets'],
    ['LICENSE_TIER', 'professional'],
    ['SEED_PASSWORD', 'correct horse battery'],
  ])('%s is refused, whoever set it', (name, value) => {
    const fault = `${name}: is honoured in development and test only.`;
    expect(faultsOf({ ...PRODUCTION, [name]: value })).toEqual([fault]);
    const { NODE_ENV: _, ...unsaid } = PRODUCTION;
    expect(faultsOf({ ...unsaid, [name]: value })).toEqual([fault]);
    expect(faultsOf({ ...unsaid, NODE_ENV: '', [name]: value })).toEqual([fault]);
    expect(readConfig({ ...PRODUCTION, NODE_ENV: 'test', [name]: value })).toHaveProperty(name);
  });

  test.each([
    'production',
    '',
    undefined,
  ])('secrets that development drew are not used (NODE_ENV is %p)', (NODE_ENV) => {
    const drawn = { ...SECRET_ENV, SEED_PASSWORD: 'drawn for the example' };
    const env: NodeJS.ProcessEnv = {
      DATABASE_URL: PRODUCTION.DATABASE_URL,
      ...(NODE_ENV === undefined ? {} : { NODE_ENV }),
    };
    expect(faultsOf(env, drawn)).toEqual(SECRETS.map((name) => `${name}: is missing. ${SETTINGS[name][1]}`));
  });

  test('an empty variable is one that is not there', () => {
    expect(faultsOf({ ...PRODUCTION, DATABASE_URL: '' })).toEqual([
      `DATABASE_URL: is missing. ${SETTINGS.DATABASE_URL[1]}`,
    ]);
    expect(readConfig({ ...PRODUCTION, PORT: '', SEED_PASSWORD: '' }).PORT).toBe(4000);
  });
});

describe('in development', () => {
  const dir = mkdtempSync(join(tmpdir(), 'dotmac-config-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test('nothing has to be said: secrets are drawn once, and kept for their owner alone', () => {
    const place = join(dir, 'fresh', '.data');
    const first = devSecrets(place);
    expect(faultsOf({ NODE_ENV: 'development' }, first)).toEqual([]);
    expect(devSecrets(place)).toEqual(first);
    expect(statSync(join(place, 'secrets.json')).mode & 0o777).toBe(0o600);
    expect(first.ENVELOPE_PUBLIC_KEYS).toBe(ed25519PublicOf(String(first.ENVELOPE_PRIVATE_KEY)));
    expect(new Set(Object.values(first)).size).toBe(Object.keys(first).length);
  });

  test('what the environment says goes before what was drawn', () => {
    const said = { NODE_ENV: 'development', SEED_PASSWORD: 'correct horse battery' };
    expect(readConfig(said, devSecrets(join(dir, 'said'))).SEED_PASSWORD).toBe('correct horse battery');
  });
});

describe('.env.example', () => {
  const text = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');

  test('is what config.ts says', () => {
    expect(text).toBe(envExample());
  });

  test('names every variable once, with its sentence and its default', () => {
    for (const [name, [, sentence]] of Object.entries(SETTINGS))
      expect(text).toMatch(new RegExp(`^# ${escaped(sentence)}\\n# ${name}=.*$`, 'm'));
    expect(text.match(/^# [A-Z_]+=/gm)).toHaveLength(Object.keys(SETTINGS).length);
    expect(text).toContain('# PORT=4000\n');
    expect(text).toContain('# TRUST_PROXY=false\n');
    expect(text).toContain('# IDENTITY_MAC_KEY=\n');
  });

  test('read as it stands says nothing but the defaults', () => {
    const said = [...text.matchAll(/^# ([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name, value] as const);
    const { DATABASE_URL, NODE_ENV, ...secrets } = PRODUCTION;
    expect(readConfig({ ...Object.fromEntries(said), ...secrets, DATABASE_URL })).toEqual(
      readConfig({ ...secrets, DATABASE_URL }),
    );
    expect(text.split('\n').every((line) => line === '' || line.startsWith('#'))).toBe(true);
  });
});

const escaped = (sentence: string) => sentence.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
