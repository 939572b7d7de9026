import type pg from 'pg';
import type { Config } from './config.ts';
import { withOwner } from './home-databases.ts';
import {
  deleteAll,
  deleteRows,
  type MovableTable,
  movableTables,
  PAGE,
  readPage,
  readRows,
  sumOf,
  writeRows,
} from './home-tables.ts';
import { CONTROL, type Home } from './homes.ts';
import { alone, clearAway, reside } from './residence.ts';

/** Below every id. */
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/** Who moves, and between which homes. */
export interface Ends {
  tenantId: string;
  from: Home;
  to: Home;
}

/**
 * Carries the rows of one tenant from one home to another, step by step; each may be repeated. Both ends are worked on as
 * the owner; at the target no trigger fires, so that rows arrive as they were.
 */
export class TenantMove {
  readonly source: pg.Client;
  readonly target: pg.Client;
  private readonly tables: readonly MovableTable[];
  private readonly tenantId: string;
  private readonly isFromControl: boolean;
  private readonly isToControl: boolean;
  /** Events of the source's log that the target has. */
  private logCopiedTo = 0;

  private constructor(source: pg.Client, target: pg.Client, tables: readonly MovableTable[], ends: Ends) {
    this.source = source;
    this.target = target;
    this.tables = tables;
    this.tenantId = ends.tenantId;
    this.isFromControl = ends.from === CONTROL;
    this.isToControl = ends.to === CONTROL;
  }

  /** Opens both ends for as long as `run` runs. */
  static open<T>(config: Config, ends: Ends, run: (move: TenantMove) => Promise<T>): Promise<T> {
    return withOwner(config, ends.from, (source) =>
      withOwner(config, ends.to, async (target) => {
        for (const client of [source, target])
          await client.query("select set_config('app.tenant_id', $1, false)", [ends.tenantId]);
        await target.query('set session_replication_role = replica');
        const tables = await movableTables(source);
        return run(new TenantMove(source, target, tables, ends));
      }),
    );
  }

  /** What is written from now on is noted. Waits for who writes already. */
  async follow(): Promise<void> {
    await reside(this.source, this.tenantId, 'FOLLOWED');
    await this.source.query('delete from kernel.changed_row where tenant_id = $1', [this.tenantId]); // of an earlier try
  }

  /** Empties the target of what lies there of the tenant, and lets nobody in. */
  async clear(): Promise<void> {
    await reside(this.target, this.tenantId, 'ARRIVING');
    for (const table of this.tables)
      if (!table.isShared || !this.isToControl) await deleteAll(this.target, table, this.tenantId);
    if (this.isToControl) return;
    for (const log of ['event', 'event_head'])
      await this.target.query(`delete from kernel.${log} where tenant_id = $1`, [this.tenantId]);
  }

  /** Copies every row, in pages; `tell` hears how many there were after each. */
  async copyAll(tell: (rows: number) => void): Promise<void> {
    // In the order of the key whatever the statistics say, which know nothing yet of what was imported just now.
    await this.source.query('set enable_sort = off; set enable_seqscan = off; set enable_bitmapscan = off');
    for (const table of this.tables) {
      if (!this.moves(table)) continue;
      let after: readonly string[] | undefined;
      do {
        const { rows, last } = await readPage(this.source, table, this.tenantId, after);
        await writeRows(this.target, table, rows);
        after = last;
        tell(rows.length);
      } while (after);
    }
    await this.source.query('reset enable_sort; reset enable_seqscan; reset enable_bitmapscan');
    await this.copyLog();
  }

  /**
   * Brings over the rows that changed, as they are in one moment: after it the target is what the source was then.
   * Returns how many they were.
   */
  async copyChanges(): Promise<number> {
    await this.source.query('begin isolation level repeatable read read only');
    const { rows: changed } = await this.source.query(
      `select table_name as title, array_agg(seq::text) as seqs, jsonb_agg(distinct key) as keys
         from kernel.changed_row where tenant_id = $1 group by 1`,
      [this.tenantId],
    );
    await this.target.query('begin');
    try {
      for (const { title, keys } of changed) {
        const table = this.tables.find((one) => one.title === title);
        if (!table || !this.moves(table)) continue;
        for (const part of parts(keys)) await deleteRows(this.target, table, part);
        for (const part of parts(keys)) await writeRows(this.target, table, await readRows(this.source, table, part));
      }
      await this.target.query('commit');
    } catch (error) {
      await this.target.query('rollback');
      throw error;
    } finally {
      await this.source.query('rollback');
    }
    const seqs = changed.flatMap((row) => row.seqs as string[]);
    await this.source.query('delete from kernel.changed_row where tenant_id = $1 and seq = any($2::bigint[])', [
      this.tenantId,
      seqs,
    ]);
    await this.copyLog();
    return seqs.length;
  }

  /** Nothing is written at the source any more, until an instant that the source itself watches. Waits for who writes. */
  pause(milliseconds: number): Promise<void> {
    return reside(this.source, this.tenantId, 'PAUSED', milliseconds);
  }

  /** The same for good: from now on only the end of the move, or its undoing, lets anybody write. Throws if it is too late. */
  async seal(): Promise<void> {
    const { rowCount } = await alone(this.source, this.tenantId, () =>
      this.source.query(
        `update kernel.residence set until = null where tenant_id = $1 and state = 'PAUSED' and (until is null or until > clock_timestamp())`,
        [this.tenantId],
      ),
    );
    if (rowCount !== 1) throw new Error('The pause has ended before everything was carried over.');
  }

  /** Throws the first table of the domains in which both ends are not the same; into the kernel's others write besides. */
  async compare(): Promise<void> {
    for (const table of this.tables) {
      if (table.isShared) continue;
      const [here, there] = await Promise.all([
        sumOf(this.source, table, this.tenantId),
        sumOf(this.target, table, this.tenantId),
      ]);
      if (here !== there) throw new Error(`${table.title} differs: ${here} here, ${there} there.`);
    }
  }

  /**
   * Brings over the rest of the log and opens the target. At a home of its own the log goes on with the same places; at the
   * control plane's its events come behind what was told there meanwhile, and streams begin anew behind `log_from`.
   */
  async openTarget(): Promise<void> {
    await this.copyLog();
    const { rows } = await this.target.query('select seq::text from kernel.event_head where tenant_id = $1', [
      this.tenantId,
    ]);
    const logFrom = this.isToControl ? (rows[0]?.seq ?? '0') : '0';
    await alone(this.target, this.tenantId, () =>
      this.target.query(
        `update kernel.residence set state = 'HERE', until = null, log_from = $2, since = now() where tenant_id = $1`,
        [this.tenantId, logFrom],
      ),
    );
  }

  /**
   * The tenant lives at the target now: nobody is let in at the source. Of a home of its own, which will be dropped, the
   * audit entries go on in the chain of the target's.
   */
  async settle(): Promise<void> {
    await reside(this.source, this.tenantId, 'MOVED');
    await this.source.query('delete from kernel.changed_row where tenant_id = $1', [this.tenantId]);
    if (this.isFromControl) return;
    await this.target.query('set session_replication_role = origin'); // what chains them is a trigger
    for (let after = FIRST_ID; ; ) {
      const { rows } = await this.source.query(
        `select e::text as row, e.id from kernel.audit_entry e where e.tenant_id = $1 and e.id > $2 order by e.id limit ${PAGE}`,
        [this.tenantId, after],
      );
      if (rows.length === 0) return;
      await this.target.query(
        `insert into kernel.audit_entry select e.* from unnest($1::kernel.audit_entry[]) e
          where not exists (select from kernel.audit_entry known where known.tenant_id = e.tenant_id and known.id = e.id)`,
        [rows.map(({ row }) => row)],
      );
      after = rows.at(-1).id;
    }
  }

  /** Undoes a move that was not finished: the tenant is written where it lives, and at the control plane nothing is left. */
  static async undo(config: Config, { tenantId, from, to }: Ends): Promise<void> {
    await withOwner(config, from, async (source) => {
      await reside(source, tenantId, 'HERE');
      await source.query('delete from kernel.changed_row where tenant_id = $1', [tenantId]);
    });
    if (to === CONTROL) await clearAway(config, CONTROL, tenantId);
  }

  /** What the licence counts is copied to a home; the way back it has been told all along. */
  private moves({ title }: MovableTable): boolean {
    return !(this.isToControl && title === 'kernel.quota');
  }

  /** Brings over the events the target does not have yet. */
  private async copyLog(): Promise<void> {
    for (;;) {
      const { rows } = await this.source.query(
        `select e::text as row, e.seq::text as seq from kernel.event e where e.tenant_id = $1 and e.seq > $2 order by e.seq limit ${PAGE}`,
        [this.tenantId, this.logCopiedTo],
      );
      if (rows.length === 0) return;
      await this.target.query(this.isToControl ? APPEND_EVENTS : COPY_EVENTS, [
        rows.map(({ row }) => row),
        this.tenantId,
      ]);
      this.logCopiedTo = Number(rows.at(-1).seq);
    }
  }
}

/** At a home of its own a tenant's log goes on with the places it had. */
const COPY_EVENTS = `
  with copied as (insert into kernel.event select * from unnest($1::kernel.event[]) on conflict do nothing)
  insert into kernel.event_head (tenant_id, seq) select $2, max(seq) from unnest($1::kernel.event[])
  on conflict (tenant_id) do update set seq = greatest(kernel.event_head.seq, excluded.seq)`;

/** At the control plane's, whose log went on as well, events get places of their own. */
const APPEND_EVENTS = `
  with fresh as (select e.*, row_number() over (order by e.seq) as place from unnest($1::kernel.event[]) e
                  where not exists (select from kernel.event known where known.tenant_id = e.tenant_id and known.id = e.id)),
       head as (insert into kernel.event_head (tenant_id, seq) select $2::uuid, count(*) from fresh having count(*) > 0
                on conflict (tenant_id) do update set seq = kernel.event_head.seq + excluded.seq
                returning seq - (select count(*) from fresh) as base)
  insert into kernel.event (tenant_id, seq, id, name, at, committed_at, actor, acting_for, trace, payload, personal)
  select tenant_id, base + place, id, name, at, committed_at, actor, acting_for, trace, payload, personal from fresh, head`;

function parts<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / PAGE) }, (_, i) => all.slice(i * PAGE, (i + 1) * PAGE));
}
