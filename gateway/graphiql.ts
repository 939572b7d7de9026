import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A page for developers, read when it is asked for. */
export type Page = () => Promise<{ type: string; body: string | Buffer; headers?: Record<string, string> }>;

const require = createRequire(import.meta.url);
export const packageDir = (name: string) => dirname(require.resolve(`${name}/package.json`));
const here = (file: string) => fileURLToPath(new URL(`./graphiql/${file}`, import.meta.url));

const TYPES: Record<string, string> = { html: 'text/html', css: 'text/css', js: 'text/javascript' };

/** The content type of a file by its extension. */
export const typeOf = (extension: string) => `${TYPES[extension] ?? 'application/octet-stream'}; charset=utf-8`;

/** GraphiQL from this machine's own packages, for developers whose browsers do not reach a CDN. */
export function graphiqlPages(): Map<string, Page> {
  const files: Record<string, string> = {
    '/graphiql': here('page.html'),
    '/graphiql/page.css': here('page.css'),
    '/graphiql/page.js': here('page.js'),
    '/graphiql/graphiql.css': join(packageDir('graphiql'), 'graphiql.min.css'),
    '/graphiql/graphiql.js': join(packageDir('graphiql'), 'graphiql.min.js'),
    '/graphiql/react.js': join(packageDir('react'), 'umd/react.production.min.js'),
    '/graphiql/react-dom.js': join(packageDir('react-dom'), 'umd/react-dom.production.min.js'),
    '/graphiql/graphql-ws.js': join(dirname(require.resolve('graphql-ws')), '../umd/graphql-ws.min.js'),
  };
  return new Map(
    Object.entries(files).map(([path, file]) => [
      path,
      async () => ({ type: typeOf(file.split('.').at(-1) ?? ''), body: await readFile(file) }),
    ]),
  );
}
