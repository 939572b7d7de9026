import { createHash, timingSafeEqual } from 'node:crypto';
import { forbidden } from '../../../schema/errors.ts';
import type { LoggedEvent } from '../../../schema/events.ts';
import type { Context } from '../../_kernel/context.ts';
import { follow } from '../../_kernel/live.ts';
import { findRun } from './provisioning.service.ts';
import {
  ProvisioningChange,
  type ProvisioningProgress,
  type ProvisioningRun,
  type Told,
} from './provisioning-run.entity.ts';

export const hashOfTicket = (ticket: string): string => createHash('sha256').update(ticket).digest('hex');

/** A run the caller may look at: who reads the fleet, and who holds the run's ticket; null for all others. */
async function seenRun(ctx: Context, runId: string, ticket: string | null): Promise<ProvisioningRun | null> {
  if (ticket === null && !ctx.can('tenancy.fleet.read')) return null;
  const run = await findRun(ctx, runId);
  if (!run || ctx.can('tenancy.fleet.read')) return run;
  const [held, shown] = [run.ticketHash ?? '', hashOfTicket(ticket ?? '')];
  return held.length === shown.length && timingSafeEqual(Buffer.from(held), Buffer.from(shown)) ? run : null;
}

const shown = (tenantId: string, runId: string, seq: number, { steps, ...told }: Told): ProvisioningProgress => {
  const instant = (text: string | null) => (text === null ? null : new Date(text));
  return {
    ...{ tenantId, runId, seq, ...told },
    steps: steps.map((step) => ({ ...step, startedAt: instant(step.startedAt), endedAt: instant(step.endedAt) })),
  };
};

/** How far a run has come; null for an unknown one and for who may not look. */
export async function progressOf(
  ctx: Context,
  runId: string,
  ticket: string | null,
): Promise<ProvisioningProgress | null> {
  const run = await seenRun(ctx, runId, ticket);
  if (!run) return null;
  return newestOf(ctx, run);
}

/** A run's newest change. */
export async function newestOf(ctx: Context, { id, homeId, seq }: ProvisioningRun): Promise<ProvisioningProgress> {
  const em = await ctx.inTenant(homeId).em();
  const change = await em.findOneOrFail(ProvisioningChange, { runId: id, seq });
  return shown(homeId, id, seq, change.progress);
}

/** The place in the log and what of a run follows a change, or its newest one, in one look: nothing comes between. */
const BEGIN = `select coalesce((select seq from kernel.event_head), 0) as head, c.seq, c.progress
  from (select) one left join tenancy.provisioning_change c
    on c.run_id = ? and c.seq > coalesce(?::int, (select max(seq) - 1 from tenancy.provisioning_change where run_id = ?))
 order by c.seq`;

/**
 * The changes of a run after `after`, each once and in order, and then each as it comes; without `after` it begins with
 * how the run stands. Throws FORBIDDEN for an unknown run and for who may not look, alike.
 */
export async function progressOfRun(
  ctx: Context,
  { runId, ticket, after }: { runId: string; ticket: string | null; after: number | null },
): Promise<AsyncGenerator<ProvisioningProgress>> {
  const run = await seenRun(ctx, runId, ticket);
  if (!run) throw forbidden();
  const tenantId = run.homeId;
  let told = after;
  const tell = (rows: { seq: number; progress: Told }[]) => {
    told = rows.at(-1)?.seq ?? told;
    return rows.map(({ seq, progress }) => shown(tenantId, runId, seq, progress));
  };
  return follow(
    ctx.inTenant(tenantId),
    async (reader) => {
      const rows = await (await reader.em()).execute(BEGIN, [runId, told, runId]);
      const first = rows.filter(({ seq }) => seq !== null) as { seq: number; progress: Told }[];
      return { upTo: Number(rows[0]?.head), first: tell(first) };
    },
    async (events, reader) => {
      const seqs = events.flatMap((event) => seqOf(event, runId)).filter((seq) => seq > (told ?? 0));
      if (seqs.length === 0) return [];
      return tell(
        await (await reader.em()).find(ProvisioningChange, { runId, seq: { $in: seqs } }, { orderBy: { seq: 'asc' } }),
      );
    },
  );
}

function seqOf({ name, payload }: LoggedEvent, runId: string): number[] {
  if (name !== 'tenancy.provisioning.changed') return [];
  const told = payload as LoggedEvent<'tenancy.provisioning.changed'>['payload'];
  return told.runId === runId ? [told.seq] : [];
}
