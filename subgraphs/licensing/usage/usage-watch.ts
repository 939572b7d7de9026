import { type Context, type Machinery, systemContext } from '../../_kernel/context.ts';
import { PLATFORM_TENANT } from '../../_kernel/db.ts';

/** How often counters are looked at while somebody follows them, milliseconds. */
const POLL_MS = 500;

/**
 * Looks at the counters of every tenant that somebody follows in this process, in one statement, and tells whose changed.
 * So counting itself has nobody to tell, however many it are that count.
 */
class Watch {
  private readonly machinery: Machinery;
  private readonly hearers = new Map<string, Set<() => void>>();
  /** Of each tenant, its counters as they were last seen. */
  private readonly seen = new Map<string, string>();
  private timer: NodeJS.Timeout | undefined;
  private ctx: Promise<Context> | undefined;
  private isLooking = false;

  constructor(machinery: Machinery) {
    this.machinery = machinery;
  }

  add(tenantId: string, hear: () => void): () => void {
    const others = this.hearers.get(tenantId);
    if (others) others.add(hear);
    else this.hearers.set(tenantId, new Set([hear]));
    this.timer ??= setInterval(() => void this.look(), POLL_MS).unref();
    return () => this.remove(tenantId, hear);
  }

  private remove(tenantId: string, hear: () => void): void {
    const left = this.hearers.get(tenantId);
    left?.delete(hear);
    if (left?.size === 0) {
      this.hearers.delete(tenantId);
      this.seen.delete(tenantId);
    }
    if (this.hearers.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private async look(): Promise<void> {
    if (this.isLooking) return;
    this.isLooking = true;
    try {
      this.ctx ??= systemContext(this.machinery, PLATFORM_TENANT);
      const rows = await (await this.ctx).acrossTenants((em) =>
        em.execute(
          `select licensed_tenant_id, string_agg(concat_ws(' ', key, used, license_version, period_start, top_ups), ',' order by key) as counters
             from licensing.licensed_quota where licensed_tenant_id = any(?::uuid[]) group by 1`,
          [`{${[...this.hearers.keys()].join(',')}}`],
        ),
      );
      for (const { licensed_tenant_id: tenantId, counters } of rows) this.compare(tenantId, counters);
    } catch (error) {
      this.ctx = undefined;
      this.machinery.log.warn({ error: (error as Error).message }, 'counters could not be looked at; trying again');
    } finally {
      this.isLooking = false;
    }
  }

  /** What was not seen before may have changed since the reader began: it looks for itself. */
  private compare(tenantId: string, counters: string): void {
    const hearers = this.hearers.get(tenantId);
    if (!hearers || this.seen.get(tenantId) === counters) return;
    this.seen.set(tenantId, counters);
    for (const hear of [...hearers]) hear();
  }
}

const watches = new WeakMap<Machinery, Watch>();

/** Calls `hear` within half a second of a change of the tenant's use or limits. Returns how to stop. */
export function watchUse(machinery: Machinery, tenantId: string, hear: () => void): () => void {
  const watch = watches.get(machinery) ?? new Watch(machinery);
  watches.set(machinery, watch);
  return watch.add(tenantId, hear);
}
