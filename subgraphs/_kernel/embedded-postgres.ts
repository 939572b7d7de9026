/**
 * A PostgreSQL of our own for machines that have none: `npm start` on a laptop, and the tests.
 * It runs under a keeper, a small process of its own, because a terminal's Ctrl-C reaches everything in its process
 * group: a database in ours would be gone before the requests in flight are answered. The keeper ends it when we let go
 * of the channel to it, so that even `kill -9` of this process leaves no database behind.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface EmbeddedDatabase {
  /** Superuser URL of the database `dotmac` on 127.0.0.1. */
  url: string;
  /** Resolves when PostgreSQL has ended. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** Holds `postgres` (the data), `postgres-password` and `postgres.lock`; made when missing. */
  dir: string;
  /** Fast and without any promise about a crash; what the database made in `dir` is deleted when it ends. */
  isThrowaway?: boolean;
  /** Hears each line PostgreSQL logs. */
  onLog?(line: string): void;
}

export type StartFailureCode =
  | 'DATA_DIR_IN_USE'
  | 'DATA_DIR_UNREADABLE'
  | 'DATA_DIR_FOREIGN'
  | 'DATA_DIR_WRONG_VERSION'
  | 'DATABASE_PASSWORD_WRONG'
  | 'DATABASE_START_FAILED'
  | 'WORLD_HALF_BUILT'
  | 'BAD_ARGUMENTS'
  | 'NO_SUBGRAPHS'
  | 'MANIFEST_UNREADABLE'
  | 'PORT_TAKEN'
  | 'PORT_FORBIDDEN';

/** Why a part of the product did not start: one sentence for the person at the terminal, one code for programs. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure';
  readonly code: StartFailureCode;

  constructor(code: StartFailureCode, sentence: string) {
    super(sentence);
    this.code = code;
  }
}

/** What the keeper tells us over its channel. */
export type KeeperNews = { log: string } | { url: string } | { failure: { code: StartFailureCode; sentence: string } };

const KEEPER = fileURLToPath(new URL('embedded-postgres.keeper.ts', import.meta.url));

/** @throws StartFailure when there is no database to work with; nothing is left running then. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedDatabase> {
  const { WATCH_REPORT_DEPENDENCIES: _, ...env } = process.env; // under --watch Node would talk on the keeper's channel
  const keeper = fork(KEEPER, [resolve(options.dir), options.isThrowaway ? 'THROWAWAY' : 'KEPT'], {
    detached: true,
    env,
    // Without run.mjs, whose compiler doubles the memory: the keeper has no decorators. Node calls its own parts new here.
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = once(keeper, 'exit');

  const url = await new Promise<string>((started, failed) => {
    let failure = new StartFailure(
      'DATABASE_START_FAILED',
      'The keeper of the embedded PostgreSQL ended unexpectedly.',
    );
    keeper.on('message', (news: KeeperNews) => {
      if ('log' in news) options.onLog?.(news.log);
      else if ('url' in news) started(news.url);
      else failure = new StartFailure(news.failure.code, news.failure.sentence);
    });
    ended.then(() => failed(failure), failed);
  });

  // Letting go of both lets a program that forgets stop() end; its end closes the channel, which ends the database.
  keeper.unref();
  keeper.channel?.unref();
  return {
    url,
    async stop() {
      keeper.ref();
      if (keeper.connected) keeper.disconnect();
      await ended;
    },
  };
}
