import 'reflect-metadata';
import type { Subscriber } from '../../../subgraphs/_kernel/subgraph.ts';
import { createLog } from '../../../subgraphs/_kernel/telemetry.ts';
import { SUBGRAPHS } from '../../../subgraphs/index.ts';
import { serve } from '../../../subgraphs/serve.ts';
import { WORK } from '../../../subgraphs/tenancy/provisioning/step.service.ts';
import { testConfig } from '../../setup/database.ts';

/** A process that works on runs and dies where it is told to, between an effect and whatever would follow it. */
export interface Order {
  databaseUrl: string;
  dataDir: string;
  /** `write:license`, `act:domain`, `undo:account`, `undoAct:domain`, or `hear:billing.openLicensedAccount`. */
  diesAt?: string;
}

const die = () => process.kill(process.pid, 'SIGKILL');

/** Lets a function do what it does, and then nothing follows any more. */
function deadly<T extends object>(owner: T, key: keyof T): void {
  const was = owner[key] as (...args: unknown[]) => unknown;
  if (!was) throw new Error(`There is no ${String(key)}.`);
  owner[key] = (async (...args: unknown[]) => {
    await was(...args);
    for (const arg of args) await (arg as { flush?: () => Promise<void> }).flush?.(); // it was really written
    die();
    await new Promise(() => undefined);
  }) as never;
}

process.once('message', async ({ databaseUrl, dataDir, diesAt }: Order) => {
  const [kind, name = ''] = diesAt?.split(':') ?? [];
  if (kind === 'hear') {
    const [domain, task = ''] = name.split('.');
    deadly(SUBGRAPHS.find((one) => one.name === domain)?.subscribers?.[task] as Subscriber, 'hear');
  } else if (kind) deadly(WORK[name as keyof typeof WORK], kind as 'write');
  const config = testConfig(databaseUrl, { DATA_DIR: dataDir });
  await serve(config, createLog(config, 'worker'), ['tenancy', 'licensing', 'identity', 'billing']);
  process.send?.('working');
});
process.send?.('loaded');
