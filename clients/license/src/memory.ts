import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { isObject } from './jws.ts';

/** Keeps one text, in a database, say. It is read once at the start and written whenever something has changed. */
export interface LicenseStore {
  read(): Promise<string | null>;
  write(text: string): Promise<void>;
}

/** A licence the platform spoke of, which no older file may contradict. */
export interface Heard {
  version: number;
  state: string;
}

/** What must not be forgotten. */
export interface Remembered {
  /** Highest epoch of a file ever accepted, and highest number of a list of what is revoked. */
  epoch: number;
  seq: number;
  /** Highest time ever seen, milliseconds since 1970. */
  time: number;
  heard: Heard | null;
  /** Texts, to be verified again by whoever reads them: of several stores, one each. */
  files: string[];
  lists: string[];
  statements: string[];
}

/** A store that does not answer for so long is passed over, milliseconds. */
const PATIENCE_MS = 2_000;

/** A store in a file that only its owner reads; it is replaced whole or not at all. */
export function fileStore(path: string): LicenseStore {
  return {
    read: () =>
      readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null;
        throw error;
      }),
    async write(text) {
      const draft = `${path}.${randomUUID()}`;
      await writeFile(draft, text, { mode: 0o600, flush: true });
      await rename(draft, path);
    },
  };
}

const whole = (value: unknown) => (Number.isSafeInteger(value) && Number(value) > 0 ? Number(value) : 0);
const text = (value: unknown) => (typeof value === 'string' ? [value] : []);

function read(stored: string | null): Remembered | null {
  if (stored === null) return null;
  const said: unknown = JSON.parse(stored);
  if (!isObject(said)) throw new Error('This is no memory of a licence.');
  const { heard } = said;
  return {
    ...{ epoch: whole(said.epoch), seq: whole(said.seq), time: whole(said.time) },
    heard: isObject(heard) ? { version: whole(heard.version), state: String(heard.state) } : null,
    ...{ files: text(said.file), lists: text(said.list) },
    statements: Array.isArray(said.statements) ? said.statements.flatMap(text) : [],
  };
}

const inTime = <T>(work: Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('It does not answer.')), PATIENCE_MS);
    work.then(resolve, reject).finally(() => clearTimeout(late));
  });

/**
 * The memory over several stores: of each figure the highest counts, so that losing or winding back one changes nothing.
 * A store that could not be read is not written, lest it forget what only it knows.
 */
export class Memory {
  private readonly unread: Set<LicenseStore>;
  private readonly stores: readonly LicenseStore[];
  private last: Promise<unknown> = Promise.resolve();
  private written = '';
  private unreadable: string[] = [];
  private unwritable: string[] = [];

  constructor(stores: readonly LicenseStore[]) {
    this.stores = stores;
    this.unread = new Set(stores);
  }

  /** What is wrong with the stores now, in sentences. */
  get faults(): string[] {
    return [...this.unreadable, ...this.unwritable];
  }

  /** What the stores hold that were not read before; null when there is nothing new. */
  async load(): Promise<Remembered | null> {
    this.unreadable = [];
    const all = await Promise.all(
      [...this.unread].map(async (store) => {
        try {
          const found = read(await inTime(store.read()));
          this.unread.delete(store);
          this.written = '';
          return found;
        } catch (error) {
          this.unreadable.push(`A store of the licence cannot be read: ${(error as Error).message}`);
          return null;
        }
      }),
    );
    const found = all.filter((one) => one !== null);
    return found.length > 0 ? merged(found) : null;
  }

  /** Writes to every store, one time after the other; a store that fails is named in `faults` and does not stop the others. */
  save({ files, lists, ...rest }: Remembered): Promise<void> {
    const stored = JSON.stringify({ ...rest, file: files[0] ?? null, list: lists[0] ?? null });
    const done = this.last.then(async () => {
      if (stored === this.written) return;
      const stores = this.stores.filter((store) => !this.unread.has(store));
      const ends = await Promise.allSettled(stores.map((store) => inTime(store.write(stored))));
      const failed = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as Error] : []));
      this.unwritable = failed.map(({ message }) => `A store of the licence cannot be written: ${message}`);
      this.written = failed.length > 0 ? '' : stored;
    });
    this.last = done;
    return done;
  }
}

function merged(found: readonly Remembered[]): Remembered {
  const highest = (of: (one: Remembered) => number) => Math.max(...found.map(of));
  const every = (of: (one: Remembered) => string[]) => [...new Set(found.flatMap(of))];
  return {
    ...{ epoch: highest((one) => one.epoch), seq: highest((one) => one.seq), time: highest((one) => one.time) },
    heard: found.flatMap((one) => one.heard ?? []).sort((a, b) => b.version - a.version)[0] ?? null,
    files: every((one) => one.files),
    lists: every((one) => one.lists),
    statements: every((one) => one.statements),
  };
}
