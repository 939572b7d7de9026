import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ed25519PublicOf } from './_kernel/dev-secrets.ts';
import { supplyOf } from './licensing/files/key-supply.service.ts';

/** How many keys are made at once: with 90 days each, nearly two years. */
const COUNT = 7;

/**
 * Makes the keys of licence files, on a machine that is not on a network. `npm run license-keys -- --root` draws a root;
 * `npm run license-keys -- --count 7 < root.seed` draws signing keys and states them with it.
 */
try {
  const { values } = parseArgs({ options: { root: { type: 'boolean' }, count: { type: 'string' } } });
  if (values.root) {
    const seed = randomBytes(32).toString('base64url');
    console.log(`seed    ${seed}    keep it offline: whoever has it makes licences`);
    console.log(`public  ${ed25519PublicOf(seed)}    for LICENSE_ROOT_KEYS and for installations`);
  } else {
    const root = readFileSync(0, 'utf8').trim();
    const count = Number(values.count ?? COUNT);
    if (!/^[\w-]{43}$/.test(root))
      throw new Error('Give the seed of a root on standard input, as --root has drawn it.');
    if (!Number.isInteger(count) || count < 1 || count > 100) throw new Error('--count is a number from 1 to 100.');
    const keys = Array.from({ length: count }, () => supplyOf(randomBytes(32).toString('base64url'), root, new Date()));
    console.log(`LICENSE_SIGNING_KEYS=${keys.join(',')}`);
  }
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}
