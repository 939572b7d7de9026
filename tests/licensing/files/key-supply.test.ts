import { randomBytes } from 'node:crypto';
import type { Config } from '../../../subgraphs/_kernel/config.ts';
import { ed25519PublicOf } from '../../../subgraphs/_kernel/dev-secrets.ts';
import {
  checkSupply,
  DEVELOPMENT_ROOTS,
  newKey,
  signerOf,
  supplyOf,
} from '../../../subgraphs/licensing/files/key-supply.service.ts';
import { prepareSigningKeys } from '../../../subgraphs/licensing/files/signing-key.service.ts';
import { BRUNO } from '../../setup/world.ts';
import { openLicensingWorld, tenantId } from '../licensing-world.ts';
import { filesIn } from './files-world.ts';

const seed = () => randomBytes(32).toString('base64url');
const [first, second] = [seed(), seed()];
const LICENSE_ROOT_KEYS = [ed25519PublicOf(first), ed25519PublicOf(second)];
const now = new Date('2027-03-01T00:00:00Z');
const config = (over: Partial<Config>) => ({ NODE_ENV: 'production', ...over }) as Config;
const given = (roots: string[], from = now) => roots.map((root) => supplyOf(seed(), root, from));

describe('Where signing keys come from', () => {
  test('production uses those it is given in their order, whichever root states them, and makes none', () => {
    const held = config({ LICENSE_ROOT_KEYS, LICENSE_SIGNING_KEYS: given([first, second]) });
    expect(() => checkSupply(held)).not.toThrow();
    const one = newKey(held, new Set(), now);
    const two = newKey(held, new Set([String(one?.kid)]), now);
    expect(new Set([one?.kid, two?.kid]).size).toBe(2);
    expect(newKey(held, new Set([String(one?.kid), String(two?.kid)]), now)).toBeUndefined();
    expect(newKey(config({}), new Set(), now)).toBeUndefined();
    expect(signerOf(held, String(two?.kid), 2).kid).toBe(two?.kid);
    expect(() => signerOf(config({}), 'gone', 1)).toThrow('is not in LICENSE_SIGNING_KEYS');
  });

  test('a key whose statement would end before its files do is passed over', () => {
    const held = config({
      LICENSE_ROOT_KEYS,
      LICENSE_SIGNING_KEYS: [...given([first], new Date('2024-06-15T00:00:00Z')), ...given([first])],
    });
    expect(newKey(held, new Set(), now)?.statement).toBe(held.LICENSE_SIGNING_KEYS?.[1]?.split('.').slice(1).join('.'));
  });

  test.each<[string, Partial<Config>, string]>([
    ['keys without roots', { LICENSE_SIGNING_KEYS: given([first]) }, 'LICENSE_ROOT_KEYS: names the two roots'],
    [
      'keys with one root',
      { LICENSE_ROOT_KEYS: LICENSE_ROOT_KEYS.slice(1), LICENSE_SIGNING_KEYS: given([second]) },
      'LICENSE_ROOT_KEYS: names the two roots',
    ],
    [
      'a key no root of ours states',
      { LICENSE_ROOT_KEYS, LICENSE_SIGNING_KEYS: [...given([first]), ...given([seed()])] },
      'LICENSE_SIGNING_KEYS: no root states key 2.',
    ],
    [
      'a statement of another key',
      {
        LICENSE_ROOT_KEYS,
        LICENSE_SIGNING_KEYS: [`${seed()}.${given([first])[0]?.split('.').slice(1).join('.')}`],
      },
      'LICENSE_SIGNING_KEYS: no root states key 1.',
    ],
    [
      'the roots of development, whose private halves everybody can compute',
      { LICENSE_ROOT_KEYS: [...DEVELOPMENT_ROOTS] },
      'LICENSE_ROOT_KEYS: names a root of development',
    ],
  ])('%s stop the start with a sentence', (_, over, sentence) => {
    expect(() => checkSupply(config(over))).toThrow(sentence);
    expect(() => checkSupply(config(over))).toThrow('The environment does not allow a start:');
  });

  test('a platform that is given keys signs with them, and says so when they are used up', async () => {
    const world = await openLicensingWorld({
      LICENSE_ROOT_KEYS: LICENSE_ROOT_KEYS.join(','),
      LICENSE_SIGNING_KEYS: given([first], new Date()).join(','),
    });
    try {
      const files = filesIn(world);
      await world.sql(
        `select set_config('app.tenant_id', '${tenantId('platform')}', false);
         delete from licensing.license_file; delete from licensing.signing_key`,
      );
      await world.inTenant('platform', prepareSigningKeys);
      expect((await files.issue(BRUNO)).userErrors).toEqual([]);
      const refused = {
        code: 'INVALID_STATE',
        message: 'No further signing key is supplied. Add one to LICENSE_SIGNING_KEYS.',
      };
      expect((await files.rotateKey()).userErrors).toMatchObject([refused]);
      const kid = (await files.keys()).ACTIVE?.[0] as string;
      expect((await files.revokeKey(kid)).userErrors).toMatchObject([refused]);
      expect((await files.keys()).ACTIVE).toEqual([kid]);
    } finally {
      await world.close();
    }
  }, 60_000);
});
