import { setTimeout as sleep } from 'node:timers/promises';
import { canonicalJson } from '../../../schema/canonical.ts';
import { type Context, systemContext } from '../../_kernel/context.ts';
import { interruptible } from '../../_kernel/interruptible.ts';
import type { UsageAnswer } from './quota-usage.rules.ts';
import { quotaUsage } from './quota-usage.service.ts';
import type { UsageUpdate } from './usage-update.entity.ts';
import { watchUse } from './usage-watch.ts';

/** A reader is told of a change at most this often, milliseconds. */
const PACE_MS = 1_000;

/**
 * Limits and use of the caller's tenant, live: as they are, then as they are after each change, at most once a second
 * and never ending on a former figure.
 */
export function usageUpdates(ctx: Context, keys: string[] | null): AsyncGenerator<UsageUpdate> {
  const { machinery, tenantId } = ctx;
  const over = new AbortController();
  let isChanged = false;
  let wake = () => {};

  async function read(): Promise<UsageAnswer[]> {
    const reader = await systemContext(machinery, tenantId);
    try {
      return await quotaUsage(reader, tenantId, keys);
    } finally {
      await reader.end();
    }
  }

  /** A database that is away for a while ends no stream. */
  const lookAgain = (error: Error): undefined => {
    machinery.log.warn({ tenantId, error: error.message }, 'use could not be read; trying again');
    isChanged = true;
  };

  async function* all(): AsyncGenerator<UsageUpdate> {
    const leave = watchUse(machinery, tenantId, () => {
      isChanged = true;
      wake();
    });
    try {
      let told = await read();
      yield { usage: told, changedKeys: [] };
      while (!over.signal.aborted) {
        await sleep(PACE_MS, undefined, { signal: over.signal }).catch(() => undefined);
        if (!isChanged && !over.signal.aborted)
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        if (over.signal.aborted) return;
        isChanged = false;
        const usage = await read().catch(lookAgain);
        if (!usage) continue;
        const former = new Set(told.map((one) => canonicalJson(one)));
        const changedKeys = usage.filter((one) => !former.has(canonicalJson(one))).map(({ key }) => key);
        told = usage;
        if (changedKeys.length > 0) yield { usage, changedKeys };
      }
    } finally {
      leave();
    }
  }
  return interruptible(all(), () => {
    over.abort();
    wake();
  });
}
