import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { type Page, packageDir, typeOf } from './graphiql.ts';

const CLIENTS = resolve(import.meta.dirname, '../clients');
const AT = '/examples/license';

/**
 * The example portal of `clients/`, whose source runs in the browser as it stands: each file is compiled when it is asked
 * for. Everything comes from this machine, and nothing else may run.
 */
export function examplePages(): Map<string, Page> {
  const pages = new Map<string, Page>([[AT, page]]);
  for (const folder of ['portal', 'example'])
    for (const file of readdirSync(resolve(CLIENTS, folder), { recursive: true, encoding: 'utf8' }))
      if (/\.(tsx?|js|css)$/.test(file))
        pages.set(`${AT}/${folder}/${file}`, () => compiled(resolve(CLIENTS, folder, file)));
  for (const name of ['react', 'react-dom'])
    pages.set(`${AT}/umd/${name}.js`, () => compiled(resolve(packageDir(name), `umd/${name}.production.min.js`)));
  return pages;
}

/** The page itself; of what is written within it, only the import map may run. */
async function page() {
  const body = await readFile(resolve(CLIENTS, 'example/page.html'), 'utf8');
  const importMap = /<script type="importmap">([\s\S]*?)<\/script>/.exec(body)?.[1] ?? '';
  const hash = createHash('sha256').update(importMap).digest('base64');
  const policy = [
    "default-src 'none'",
    `script-src 'self' 'sha256-${hash}'`,
    "style-src 'self'",
    'img-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return { type: typeOf('html'), body, headers: { 'content-security-policy': policy.join('; ') } };
}

/** A file as browsers take it: TypeScript without its types, JSX as calls of React. */
async function compiled(file: string) {
  const extension = extname(file).slice(1);
  const source = await readFile(file, 'utf8');
  if (!extension.startsWith('ts')) return { type: typeOf(extension), body: source };
  const { transform } = await import('@swc/core');
  const { code } = await transform(source, {
    filename: file,
    swcrc: false,
    sourceMaps: 'inline',
    jsc: { target: 'es2023', parser: { syntax: 'typescript', tsx: extension === 'tsx' } },
    module: { type: 'es6' },
  });
  return { type: typeOf('js'), body: code };
}
