import { hkdfSync } from 'node:crypto';
import type { JobHelpers } from 'graphile-worker';
import { uuidv7 } from 'uuidv7';
import type { Config } from './config.ts';
import type { EntityManager } from './db.ts';
import { mailEngine } from './mail-engines.ts';
import { seal, unseal } from './seal.ts';
import type { Logger } from './telemetry.ts';

export interface Mail {
  /** One address. */
  to: string;
  subject: string;
  /** Plain text; links stand on lines of their own. */
  text: string;
}

/** What a transaction will have sent when it commits, by its EntityManager. */
const leaving = new WeakMap<EntityManager, Mail[]>();

/**
 * Sends a mail once this transaction is committed, and not otherwise: a job does, so nobody waits for it. It is tried
 * again for a day and a half, and in rare cases arrives twice. Until it is sent it is kept sealed, for its links may
 * hold tokens.
 */
export function sendMail(em: EntityManager, mail: Mail): void {
  if (/[\r\n]/.test(mail.to + mail.subject)) throw new Error('An address and a subject are one line each.');
  leaving.set(em, [...(leaving.get(em) ?? []), mail]);
}

/** Hands over the mails of a transaction that is about to commit. */
export async function handOverMails(em: EntityManager, config: Config): Promise<void> {
  const mails = leaving.get(em);
  if (!mails) return;
  leaving.delete(em);
  const key = mailKey(config);
  const sealed = mails.map((mail) => {
    const id = uuidv7();
    return { id, sealed: seal(key, id, Buffer.from(JSON.stringify(mail))) };
  });
  await em.execute('select kernel.send_mails(?::jsonb)', [JSON.stringify(sealed)]);
}

/** Every process that may send or write mails knows the secret of the database roles; the database does not. */
const mailKey = ({ DATABASE_ROLE_SECRET }: Config): Buffer =>
  Buffer.from(hkdfSync('sha256', Buffer.from(DATABASE_ROLE_SECRET, 'base64url'), '', 'mail', 32));

/** The kernel's own tasks with mails. */
export function mailTasks(config: Config, log: Logger) {
  const engine = mailEngine(config, log);
  const key = mailKey(config);

  const sendOne = async (payload: unknown, { query, job }: JobHelpers): Promise<void> => {
    const id = String((payload as { mailId: string }).mailId);
    const { rows } = await query<{ sealed: string }>('select sealed from kernel.mail where id = $1', [id]);
    if (!rows[0]) return; // it was sent, and its job interrupted
    const mail = JSON.parse(unseal(key, id, rows[0].sealed).toString()) as Mail;
    const forget = () => query('delete from kernel.mail where id = $1', [id]);
    try {
      await engine.send(id, mail);
    } catch (error) {
      if (job.attempts >= job.max_attempts) await forget();
      throw error;
    }
    await forget();
  };
  return { tasks: { 'kernel.sendMail': sendOne }, close: () => engine.close() };
}
