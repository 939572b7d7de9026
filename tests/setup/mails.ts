import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A mail as its receiver reads it. */
export interface SentMail {
  to: string;
  subject: string;
  text: string;
  /** The links in it. */
  links: string[];
}

/** The mails in the folder of a data directory, oldest first: their names are ids that ascend. */
export async function mailsIn(dataDir: string): Promise<SentMail[]> {
  const folder = join(dataDir, 'mail');
  const files = await readdir(folder).catch(() => [] as string[]);
  const sent = files.filter((file) => file.endsWith('.eml')).sort();
  return Promise.all(sent.map(async (file) => parse(await readFile(join(folder, file), 'utf8'))));
}

function parse(eml: string): SentMail {
  const [head = '', ...rest] = eml.split('\r\n\r\n');
  const text = rest.join('\r\n\r\n').replaceAll('\r\n', '\n');
  const header = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(head)?.[1]?.trim() ?? '';
  return { to: header('To'), subject: header('Subject'), text, links: text.match(/https?:\/\/\S+/g) ?? [] };
}

/** What a link in a mail carries in its fragment. */
export const tokenIn = (mail: SentMail | undefined): string => {
  const link = mail?.links.find((one) => one.includes('#'));
  if (!link) throw new Error('There is no link with a token in this mail.');
  return new URL(link).hash.slice(1);
};
