import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

/** Open files of one process: thousands of sockets, and what it needs besides. */
const FILES = 20_000;

/** A process of a bench, told what to do by messages. It says what went wrong as `{ failure }`. */
export class Part<Said extends object> {
  private readonly child: ChildProcess;
  private readonly said: (Said & { failure?: string })[] = [];
  private wake: () => void = () => undefined;

  /** @param script its path under `bench/`. */
  constructor(script: string) {
    const path = resolve(import.meta.dirname, script);
    this.child = spawn(
      'sh',
      ['-c', `ulimit -n ${FILES}; exec "$@"`, 'sh', process.execPath, '--expose-gc', '--import', './run.mjs', path],
      {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        cwd: resolve(import.meta.dirname, '..'),
      },
    );
    this.child.on('message', (message: Said) => this.hear(message));
    this.child.on('exit', () => this.hear({ failure: `${script} has ended.` } as never));
  }

  /** What it says next. Throws what it says went wrong. */
  async next(): Promise<Said> {
    while (this.said.length === 0) await new Promise<void>((woken) => (this.wake = woken));
    const said = this.said.shift() as Said & { failure?: string };
    if (said.failure) throw new Error(said.failure);
    return said;
  }

  tell(order: object): void {
    this.child.send(order);
  }

  ask(order: object): Promise<Said> {
    this.tell(order);
    return this.next();
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill();
    await ended;
  }

  private hear(said: Said): void {
    this.said.push(said);
    this.wake();
  }
}
