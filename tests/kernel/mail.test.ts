import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rm, stat, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type Mail, sendMail } from '../../subgraphs/_kernel/mail.ts';
import { mailEngine } from '../../subgraphs/_kernel/mail-engines.ts';
import { createLog } from '../../subgraphs/_kernel/telemetry.ts';
import { testConfig } from '../setup/database.ts';
import { openWorld, type World } from '../setup/world.ts';
import { until } from './by-hand.ts';

const mailTo = (to: string, text = 'Hello.'): Mail => ({ to, subject: 'Grüße, Zoë', text });

describe('a mail of a transaction', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world?.close());

  test('goes out once the transaction is committed, as it was written, into a folder only its owner reads', async () => {
    const ctx = await world.system('kestrel', 'identity');
    await ctx.tx(async (em) => sendMail(em, mailTo('wren@kestrel.example', 'One — ünï.\n\nhttps://a.example/x#tok')));
    const text = 'One — ünï.\n\nhttps://a.example/x#tok\n';
    expect(await world.mails('wren@kestrel.example')).toEqual([
      { to: 'wren@kestrel.example', subject: 'Grüße, Zoë', text, links: ['https://a.example/x#tok'] },
    ]);
    expect(await world.sql('select from kernel.mail')).toEqual([]);
    expect((await stat(join(world.config.DATA_DIR, 'mail'))).mode & 0o077).toBe(0);
  });

  test('stays unsent when the transaction is rolled back', async () => {
    const ctx = await world.system('kestrel', 'identity');
    const failing = ctx.tx(async (em) => {
      sendMail(em, mailTo('nobody@kestrel.example'));
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await world.mails('nobody@kestrel.example')).toEqual([]);
  });

  test('lies readable nowhere while it cannot be sent, and is sent later', async () => {
    const folder = join(world.config.DATA_DIR, 'mail');
    await rm(folder, { recursive: true });
    await writeFile(folder, 'no folder');
    const token = randomBytes(16).toString('hex');
    const ctx = await world.system('kestrel', 'identity');
    await ctx.tx(async (em) => sendMail(em, mailTo('ada@kestrel.example', `https://a.example/#${token}`)));
    const jobs = 'select to_jsonb(j)::text as text, last_error from graphile_worker._private_jobs j';
    await until('the mail could not be sent', async () =>
      (await world.sql(jobs)).some(({ last_error }) => last_error !== null),
    );
    const kept = JSON.stringify([await world.sql(jobs), await world.sql('select * from kernel.mail')]);
    expect(kept).toContain('mailId');
    for (const secret of [token, 'ada@kestrel.example', 'Zoë']) expect(kept).not.toContain(secret);
    await rm(folder);
    await world.sql('update graphile_worker._private_jobs set run_at = now(), last_error = null');
    expect((await world.mails('ada@kestrel.example')).map(({ text }) => text)).toEqual([
      `https://a.example/#${token}\n`,
    ]);
  });

  test('is read by no service that hands one over', async () => {
    const ctx = await world.system('kestrel', 'identity');
    await expect((await ctx.em()).execute('select * from kernel.mail')).rejects.toThrow(/permission denied/);
    await ctx.end();
  });

  test('has an address and a subject of one line each', async () => {
    const ctx = await world.system('kestrel', 'identity');
    const sneaking = ctx.tx(async (em) => sendMail(em, mailTo('ada@kestrel.example\r\nBcc: all@kestrel.example')));
    await expect(sneaking).rejects.toThrow('one line');
  });
});

/** A mail server that speaks as much SMTP as our engine needs, and refuses addresses at `refused.example`. */
async function openServer() {
  const letters: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let letter: string | null = null;
    const say = (line: string) => void socket.write(`${line}\r\n`);
    say('220 fake');
    let waiting = '';
    socket
      .on('error', () => undefined)
      .on('data', (bytes) => {
        waiting += bytes.toString('utf8');
        for (let end = waiting.indexOf('\r\n'); end >= 0; end = waiting.indexOf('\r\n')) {
          const line = waiting.slice(0, end);
          waiting = waiting.slice(end + 2);
          if (letter !== null && line === '.') {
            letters.push(letter);
            letter = null;
            say('250 kept');
          } else if (letter !== null) letter += `${line}\n`;
          else if (line === 'DATA') {
            letter = '';
            say('354 go on');
          } else if (/^RCPT.*refused\.example/.test(line)) say(`550 ${line} is not here`);
          else say(line === 'QUIT' ? '221 bye' : '250 fine');
        }
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    letters,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

test('over SMTP a mail reaches the server, and what it refuses is told without the address', async () => {
  const server = await openServer();
  const settings = { MAIL_ENGINE: 'SMTP', SMTP_URL: server.url, MAIL_FROM: 'DotMac <mail@dotmac.example>' };
  const config = testConfig(String(process.env.TEST_DATABASE_URL), settings);
  const engine = mailEngine(config, createLog(config, 'test'));
  try {
    await engine.send('the-id', mailTo('wren@kestrel.example', 'https://a.example/x#tok'));
    expect(server.letters).toHaveLength(1);
    expect(server.letters[0]).toMatch(/^To: wren@kestrel\.example$/m);
    expect(server.letters[0]).toMatch(/^From: DotMac <mail@dotmac\.example>$/m);
    expect(server.letters[0]).toMatch(/^Message-ID: <the-id@localhost>$/m);
    expect(server.letters[0]).toContain('https://a.example/x#tok');
    const refused = await engine.send('other', mailTo('ada@refused.example')).catch((error: Error) => error.message);
    expect(refused).toBe('The mail server took no mail (EENVELOPE, 550).');
  } finally {
    engine.close();
    server.close();
  }
});

test('over SMTP without a server the start is refused with one sentence', () => {
  expect(() => testConfig('postgres://a/b', { MAIL_ENGINE: 'SMTP' })).toThrow('SMTP_URL: is missing.');
});
