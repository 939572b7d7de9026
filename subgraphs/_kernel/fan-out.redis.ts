import { Redis } from 'ioredis';
import type { Ear, Line, Listener } from './fan-out.ts';

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2_000;
/** A line is asked for a sign of life this often, milliseconds: one that is cut silently never says so itself. */
const BEAT_MS = 5_000;
/** A sign of life that takes longer does not come, milliseconds. */
const SILENCE_MS = 2_000;

const IS_EAR = /^(tenant|feed):[\w-]+$/;

/**
 * Hears and tells commits through Redis: one message for all that is told in one turn of the event loop, on a channel of
 * the database's own. Redis keeps none of it.
 */
export function listenToRedis(url: string, database: string, listener: Listener): Line {
  const channel = `dotmac:news:${database}`;
  const connect = (name: string) =>
    new Redis(url, {
      connectionName: `dotmac_fan_out_${name}`,
      connectTimeout: SILENCE_MS,
      socketTimeout: SILENCE_MS, // from a command to the next word of the server
      enableOfflineQueue: false,
      autoResubscribe: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: null,
      retryStrategy: (times) => Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (times - 1)),
    });
  const hearing = connect('hears');
  const telling = connect('tells');
  let fault = new Error('The server has closed the connection.');
  let isClosed = false;

  hearing.on('ready', () => {
    hearing.subscribe(channel).then(
      () => listener.up(),
      () => hearing.disconnect(true),
    );
  });
  hearing.on('error', (error: Error) => {
    fault = error;
  });
  hearing.on('close', () => isClosed || listener.down(fault));
  hearing.on('message', (_channel: string, text: string) => {
    for (const ear of text.split(' ')) if (IS_EAR.test(ear)) listener.heard(ear); // whoever may connect may publish
  });
  telling.on('error', () => undefined); // each message that cannot be told fails itself

  const beat = setInterval(() => {
    for (const line of [hearing, telling]) if (line.status === 'ready') line.ping().catch(() => undefined);
  }, BEAT_MS);
  beat.unref();

  let pending: Set<Ear> | undefined;
  let sent: Promise<void> = Promise.resolve();
  return {
    tell(ears) {
      if (!pending) {
        const gathered = new Set<Ear>();
        pending = gathered;
        sent = new Promise<void>((resolve) => setImmediate(resolve)).then(async () => {
          pending = undefined;
          await telling.publish(channel, [...gathered].join(' '));
        });
      }
      for (const ear of ears) pending.add(ear);
      return sent;
    },
    async close() {
      isClosed = true;
      clearInterval(beat);
      await sent.catch(() => undefined);
      hearing.disconnect();
      telling.disconnect();
    },
  };
}
