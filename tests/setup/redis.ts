import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { Redis } from 'ioredis';

export interface TestRedis {
  url: string;
  /** Cuts every connection but the one that says so. */
  cut(): Promise<void>;
  /** The server neither answers nor closes anything until `resume`. */
  pause(): void;
  resume(): void;
  /** Ends the server as a crash would. */
  kill(): Promise<void>;
  /** Starts it again, at the same address and empty. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

/** A Redis of a test's own, which keeps nothing on disk. Needs /usr/bin/redis-server, as `.ci/run` installs it. */
export async function startRedis(): Promise<TestRedis> {
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let child = await start(port);
  const resume = () => void child.kill('SIGCONT');
  const end = (signal: NodeJS.Signals) =>
    new Promise<void>((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve();
      child.once('exit', () => resolve());
      resume();
      child.kill(signal);
    });
  return {
    url,
    async cut() {
      const client = new Redis(url);
      await client.call('client', 'kill', 'type', 'normal', 'skipme', 'yes');
      await client.call('client', 'kill', 'type', 'pubsub', 'skipme', 'yes');
      client.disconnect();
    },
    pause: () => void child.kill('SIGSTOP'),
    resume,
    kill: () => end('SIGKILL'),
    async restart() {
      child = await start(port);
    },
    stop: () => end('SIGTERM'),
  };
}

async function start(port: number): Promise<ChildProcess> {
  const child = spawn(
    '/usr/bin/redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', '/tmp'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await new Promise<void>((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk;
      if (text.includes('Ready to accept connections')) resolve();
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}:\n${text}`)));
  });
  return child;
}
