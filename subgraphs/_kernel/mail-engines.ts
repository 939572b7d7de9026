import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from './config.ts';
import type { Mail } from './mail.ts';
import type { Logger } from './telemetry.ts';

export interface MailEngine {
  /** Sends one mail; the same id twice is the same mail. Throws when it could not. */
  send(id: string, mail: Mail): Promise<void>;
  close(): void;
}

/** How mails leave: into a folder, or over SMTP. */
export function mailEngine(config: Config, log: Logger): MailEngine {
  if (config.MAIL_ENGINE === 'SMTP') return smtpEngine(config);
  if (config.NODE_ENV === 'production')
    log.warn('mails are written to a folder and sent to nobody: MAIL_ENGINE is FOLDER');
  return folderEngine(config);
}

/** Writes each mail into DATA_DIR/mail as a file any mail program opens. Only its owner reads them. */
function folderEngine({ DATA_DIR, MAIL_FROM, PUBLIC_URL }: Config): MailEngine {
  const folder = join(DATA_DIR, 'mail');
  return {
    async send(id, mail) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const file = join(folder, `${id}.eml`);
      const head = [
        `From: ${MAIL_FROM}`,
        `To: ${mail.to}`,
        `Subject: ${mail.subject}`,
        `Date: ${new Date().toUTCString()}`,
        `Message-ID: ${messageId(id, PUBLIC_URL)}`,
        'MIME-Version: 1.0',
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding: 8bit',
      ];
      const text = [...head, '', ...mail.text.split('\n'), ''].join('\r\n');
      await writeFile(`${file}.part`, text, { mode: 0o600 });
      await rename(`${file}.part`, file); // whoever looks never meets half a mail
    },
    close: () => undefined,
  };
}

const messageId = (id: string, url: string) => `<${id}@${new URL(url).hostname}>`;

/** How long a server may take for one step, milliseconds. */
const SMTP_MS = 15_000;

/** Sends over the SMTP server of SMTP_URL; the library is loaded with the first mail. */
function smtpEngine({ SMTP_URL, MAIL_FROM, PUBLIC_URL }: Config): MailEngine {
  const connect = async () => {
    const { createTransport } = await import('nodemailer');
    const timeouts = { connectionTimeout: SMTP_MS, greetingTimeout: SMTP_MS, socketTimeout: SMTP_MS };
    return createTransport({ url: SMTP_URL, pool: true, maxConnections: 2, ...timeouts });
  };
  let transport: ReturnType<typeof connect> | undefined;
  return {
    async send(id, mail) {
      transport ??= connect();
      const open = await transport;
      await open.sendMail({ from: MAIL_FROM, messageId: messageId(id, PUBLIC_URL), ...mail }).catch((error) => {
        // What the server says repeats the address, which is nobody's business but the receiver's.
        throw new Error(
          `The mail server took no mail (${error.code ?? 'unknown'}, ${error.responseCode ?? 'no answer'}).`,
        );
      });
    },
    close: () => void transport?.then((open) => open.close()),
  };
}
