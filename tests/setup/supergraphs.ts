import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse, print, visit } from 'graphql';
import { ROOT } from './compose.ts';

export const GOOD_SUPERGRAPH = readFileSync(resolve(ROOT, 'schema/supergraph.graphql'), 'utf8');

/** The supergraph as it was before somebody added `Tenant.country`. */
export const OLDER_SUPERGRAPH = (() => {
  let type = '';
  return print(
    visit(parse(GOOD_SUPERGRAPH), {
      ObjectTypeDefinition: {
        enter: (node) => {
          type = node.name.value;
        },
      },
      FieldDefinition: (node) => (type === 'Tenant' && node.name.value === 'country' ? null : undefined),
    }),
  );
})();

/** What must never take the place of one that works. */
export const BROKEN_SUPERGRAPHS = [
  'type Query { broken',
  '',
  'type Query { hello: String }',
  GOOD_SUPERGRAPH.slice(0, GOOD_SUPERGRAPH.length / 2),
  GOOD_SUPERGRAPH.replace(
    '@link(url: "https://specs.apollo.dev/join/',
    '@link(url: "https://specs.apollo.dev/unheard-of/',
  ),
];

/** The same supergraph, but for one description: none that was there before. */
export const another = (supergraph: string, mark: number): string =>
  supergraph.replace('Its short name in addresses', `Its short name in addresses, ${mark}`);

/** Puts a text in a file's place at once, as a deployment does. */
export function swapIn(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}
