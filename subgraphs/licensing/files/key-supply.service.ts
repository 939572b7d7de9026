import { createHmac } from 'node:crypto';
import { type Config, ConfigError } from '../../_kernel/config.ts';
import { ed25519FromSeed, ed25519PublicOf } from '../../_kernel/dev-secrets.ts';
import { kidOf, openJws, type Signer, signJws } from './jws.rules.ts';

/** A key licence files may be signed with, from outside the database. */
export interface SuppliedKey {
  kid: string;
  /** Raw 32 bytes, base64url, as the seed of the private half. */
  publicKey: string;
  seed: string;
  /** What a root says of it; development says it itself. */
  statement: string | null;
}

/** How long an installation believes in a key after it was stated, seconds: about three years. */
const STATED_S = 3 * 365 * 86_400;
/** A new key must be believed until its last file has ended: 90 days, 31 of retiring, and one of being NEXT; seconds. */
const NEEDED_S = 122 * 86_400;

/** Everybody can read it, so what it signs is worth nothing: production refuses its roots. */
const DEVELOPMENT = 'dotmac licence keys of development and test';
const developmentSeed = (name: string) => createHmac('sha256', DEVELOPMENT).update(name).digest('base64url');
const rootSeed = (number: 1 | 2) => developmentSeed(`root ${number}`);
/** The public halves of the two roots of development and test. */
export const DEVELOPMENT_ROOTS: readonly string[] = [ed25519PublicOf(rootSeed(1)), ed25519PublicOf(rootSeed(2))];

const fromSeed = (seed: string, statement: string | null): SuppliedKey => {
  const publicKey = ed25519PublicOf(seed);
  return { kid: kidOf(publicKey), publicKey, seed, statement };
};

/** The key of a seed, as LICENSE_SIGNING_KEYS spells it: the seed, a dot, and the statement a root signs of it. */
export function supplyOf(seed: string, root: string, now: Date): string {
  return `${seed}.${state(fromSeed(seed, null), root, now)}`;
}

function state({ kid, publicKey }: SuppliedKey, root: string, now: Date): string {
  const iat = Math.floor(now.getTime() / 1_000);
  const signer = { kid: kidOf(ed25519PublicOf(root)), privateKey: ed25519FromSeed(root) };
  return signJws('isp-license-key+jwt', { iat, exp: iat + STATED_S, kid, x: publicKey }, signer);
}

/** Keys there are to sign with, the first `count` of those that development makes without end. */
function supplied(config: Config, count: number): SuppliedKey[] {
  const given = config.LICENSE_SIGNING_KEYS;
  if (given) return given.map((text) => fromSeed(text.slice(0, text.indexOf('.')), text.slice(text.indexOf('.') + 1)));
  if (config.NODE_ENV === 'production') return [];
  return Array.from({ length: count }, (_, i) => fromSeed(developmentSeed(`key ${i + 1}`), null));
}

/** A key nobody has used yet and the statement of it, or undefined when the supply is at its end. */
export function newKey(config: Config, used: ReadonlySet<string>, now: Date) {
  const isGood = ({ kid, statement }: SuppliedKey) =>
    !used.has(kid) && (statement === null || endOf(statement) > now.getTime() / 1_000 + NEEDED_S);
  const key = supplied(config, used.size + 1).find(isGood);
  return key && { kid: key.kid, publicKey: key.publicKey, statement: key.statement ?? state(key, rootSeed(1), now) };
}

/** When a statement ends, seconds since 1970. */
const endOf = (statement: string): number =>
  Number(JSON.parse(Buffer.from(String(statement.split('.')[1]), 'base64url').toString('utf8')).exp);

/** Whoever signs with a key. Throws for one whose private half is no longer supplied. */
export function signerOf(config: Config, kid: string, known: number): Signer {
  const key = supplied(config, known).find((found) => found.kid === kid);
  if (!key) throw new Error(`The private half of the signing key ${kid} is not in LICENSE_SIGNING_KEYS.`);
  return { kid, privateKey: ed25519FromSeed(key.seed) };
}

/**
 * Refuses a start with signing keys no installation would believe: without two roots, with those of development in
 * production, or with a key whose statement no root has signed.
 */
export function checkSupply(config: Config): void {
  const { LICENSE_SIGNING_KEYS: keys, LICENSE_ROOT_KEYS: roots = [] } = config;
  const faults: string[] = [];
  if (config.NODE_ENV === 'production' && roots.some((root) => DEVELOPMENT_ROOTS.includes(root)))
    faults.push('LICENSE_ROOT_KEYS: names a root of development, whose private half everybody knows.');
  if (keys && roots.length !== 2)
    faults.push('LICENSE_ROOT_KEYS: names the two roots that state LICENSE_SIGNING_KEYS.');
  else
    for (const [i, key] of supplied(config, 0).entries())
      if (!isStated(key, roots)) faults.push(`LICENSE_SIGNING_KEYS: no root states key ${i + 1}.`);
  if (faults.length > 0)
    throw new ConfigError(`The environment does not allow a start:\n${faults.map((f) => `  - ${f}`).join('\n')}`);
}

function isStated({ kid, publicKey, statement }: SuppliedKey, roots: readonly string[]): boolean {
  return roots.some((root) => {
    const said = openJws('isp-license-key+jwt', String(statement), kidOf(root), root);
    return said?.kid === kid && said.x === publicKey;
  });
}
