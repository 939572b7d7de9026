import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const PACKAGE = resolve(import.meta.dirname, '../../../clients/license');

describe('The licence client stands alone', () => {
  test('it imports what Node brings and its own files, nothing else', () => {
    const imported = readdirSync(`${PACKAGE}/src`).flatMap((file) =>
      [...readFileSync(`${PACKAGE}/src/${file}`, 'utf8').matchAll(/from '([^']+)'/g)].map(([, from]) => String(from)),
    );
    expect(imported.length).toBeGreaterThan(20);
    expect(imported.filter((from) => !/^(node:\w+(\/\w+)?|\.\/[\w-]+\.ts)$/.test(from))).toEqual([]);
  });

  test('it depends on no package', () => {
    const said = JSON.parse(readFileSync(`${PACKAGE}/package.json`, 'utf8'));
    expect([said.name, said.dependencies, said.peerDependencies]).toEqual(['@dotmac/license', undefined, undefined]);
  });
});
