import pg from 'pg';
import type { Ear, Line, Listener } from './fan-out.ts';

const CHANNEL = 'dotmac';
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2_000;
/** A line is asked for a sign of life this often, milliseconds: one that is cut silently never says so itself. */
const BEAT_MS = 5_000;
/** A sign of life that takes longer does not come, milliseconds. */
const SILENCE_MS = 2_000;

/** Hears commits of every process through PostgreSQL's LISTEN; the transactions themselves notify. */
export function listenToPostgres(url: string, listener: Listener): Line {
  let client: pg.Client | undefined;
  let isClosed = false;
  let retryMs = FIRST_RETRY_MS;
  let timer: NodeJS.Timeout | undefined;
  /** A connection carries out one statement at a time. */
  let telling: Promise<unknown> = Promise.resolve();

  const again = () => {
    client = undefined;
    if (isClosed || timer) return;
    timer = setTimeout(() => {
      timer = undefined;
      void open();
    }, retryMs);
    retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
  };
  const open = async () => {
    const next = new pg.Client({
      connectionString: url,
      application_name: 'dotmac_fan_out',
      keepAlive: true,
      connectionTimeoutMillis: SILENCE_MS,
      query_timeout: SILENCE_MS,
    });
    const lost = (error: Error) => {
      if (client !== next) return;
      listener.down(error);
      again();
    };
    next.on('error', lost);
    next.on('end', () => lost(new Error('The server has closed the connection.')));
    next.on('notification', ({ payload }) => {
      const ear = earOf(payload);
      if (ear) listener.heard(ear);
    });
    try {
      await next.connect();
      await next.query(`listen ${CHANNEL}`);
      if (isClosed) return void (await next.end());
      client = next;
      retryMs = FIRST_RETRY_MS;
      listener.up();
    } catch (error) {
      void next.end().catch(() => undefined);
      listener.down(error as Error);
      again();
    }
  };
  const beat = setInterval(() => {
    const held = client;
    telling = telling.then(() =>
      held?.query('select').catch((error: Error) => {
        held.emit('error', error);
        void held.end().catch(() => undefined);
      }),
    );
  }, BEAT_MS);
  beat.unref();

  void open();
  return {
    // What is committed in this database its commit has told; this is for the databases of single tenants.
    async tell(ears) {
      const told = telling.then(async () => {
        if (!client) throw new Error('The line is being laid anew.');
        await client.query('select pg_notify($1, news) from unnest($2::text[]) news', [CHANNEL, ears.map(newsOf)]);
      });
      telling = told.catch(() => undefined);
      await told;
    },
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      clearInterval(beat);
      const held = client;
      client = undefined;
      await held?.end().catch(() => undefined);
    },
  };
}

function newsOf(ear: Ear): string {
  const [kind, name] = ear.split(':');
  return JSON.stringify({ [String(kind)]: name });
}

/** Whom a notification wakes; nobody when it is not one of ours, for anyone who may connect may notify. */
function earOf(payload = ''): string | undefined {
  try {
    const { tenant, feed } = (JSON.parse(payload) ?? {}) as { tenant?: string; feed?: string };
    if (tenant) return `tenant:${tenant}`;
    return feed && `feed:${feed}`;
  } catch {
    return undefined;
  }
}
