/**
 * The loader of `run.mjs`. What it compiles is kept in a temporary folder of this user's own under the hash of the
 * source, so a second start compiles nothing.
 */

import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync, version } from '@swc/core';

const { $schema: _, ...options } = JSON.parse(readFileSync(new URL('.swcrc', import.meta.url), 'utf8'));
const cache = ownFolder(join(tmpdir(), `dotmac-swc-${process.getuid?.() ?? 0}`));

/** The folder if it is ours alone; code is never run from one that another user made or may write. */
function ownFolder(dir) {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const { uid, mode } = lstatSync(dir);
    return uid === (process.getuid?.() ?? uid) && (mode & 0o170077) === 0o040000 ? dir : undefined;
  } catch {
    return undefined;
  }
}

function keep(file, code) {
  if (!cache) return;
  const draft = `${file}.${process.pid}.${performance.now()}`;
  writeFileSync(draft, code);
  renameSync(draft, file);
}

export async function load(url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts') || url.includes('/node_modules/')) return next(url, context);
  const filename = fileURLToPath(url);
  const source = readFileSync(filename, 'utf8');
  const key = createHash('sha256')
    .update(`${version}\n${JSON.stringify(options)}\n${filename}\n${source}`)
    .digest('hex');
  const kept = join(cache ?? '', `${key}.js`);
  try {
    if (cache) return { format: 'module', source: readFileSync(kept, 'utf8'), shortCircuit: true };
  } catch {
    // not compiled yet
  }
  const { code } = transformSync(source, { ...options, swcrc: false, filename });
  keep(kept, code);
  return { format: 'module', source: code, shortCircuit: true };
}
