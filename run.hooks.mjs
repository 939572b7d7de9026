/**
 * The loader of `run.mjs`. What it compiles is kept in the system's temporary folder under the hash of the source, so
 * a second start compiles nothing.
 */
import { transformSync, version } from '@swc/core';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const { $schema: _, ...options } = JSON.parse(readFileSync(new URL('.swcrc', import.meta.url), 'utf8'));
const cache = join(tmpdir(), `dotmac-swc-${process.getuid?.() ?? 0}`);
mkdirSync(cache, { recursive: true, mode: 0o700 });

export async function load(url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts') || url.includes('/node_modules/')) return next(url, context);
  const filename = fileURLToPath(url);
  const source = readFileSync(filename, 'utf8');
  const key = createHash('sha256').update(`${version}\n${JSON.stringify(options)}\n${filename}\n${source}`).digest('hex');
  const kept = join(cache, `${key}.js`);
  try {
    return { format: 'module', source: readFileSync(kept, 'utf8'), shortCircuit: true };
  } catch {
    const { code } = transformSync(source, { ...options, swcrc: false, filename });
    const draft = `${kept}.${process.pid}.${performance.now()}`;
    writeFileSync(draft, code);
    renameSync(draft, kept);
    return { format: 'module', source: code, shortCircuit: true };
  }
}
