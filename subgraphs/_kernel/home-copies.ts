import pg from 'pg';
import { QUOTA_KEYS, type QuotaKey } from '../../schema/features.ts';
import type { Config } from './config.ts';
import { roleUrl } from './db.ts';
import { CONTROL, configAt, type Home } from './homes.ts';

/** Counters of which the control plane's own domains count the use. Of all others a tenant's home does. */
const COUNTED_AT_CONTROL: readonly QuotaKey[] = ['api_calls', 'staff_users'];
const COUNTED_AT_HOMES = QUOTA_KEYS.filter((key) => !COUNTED_AT_CONTROL.includes(key));

/** A connection that is not used is closed after this, milliseconds. */
const IDLE_MS = 10_000;

/** Carries copies between the control plane and the homes of tenants, as the role dotmac_relay. */
export class HomeCopies {
  private readonly pools = new Map<Home, pg.Pool>();
  private readonly config: Config;

  constructor(config: Config) {
    this.config = config;
  }

  /** Brings to a home what it must know of a tenant. Hearing it again, or late, is harmless. */
  async push(tenantId: string, home: Home): Promise<void> {
    const { rows } = await this.at(CONTROL).query('select kernel.copies_of($1)::text as copies', [tenantId]);
    await this.at(home).query(
      "select kernel.take_copies($1, $2::jsonb), kernel.take_settings($1, $2::jsonb -> 'profile')",
      [tenantId, rows[0].copies],
    );
  }

  /** Tells the control plane what a tenant has used at its home. */
  async tellUse(tenantId: string, home: Home): Promise<void> {
    const { rows } = await this.at(home).query('select kernel.use_of($1)::text as use', [tenantId]);
    await this.at(CONTROL).query('select kernel.take_use($1, $2::jsonb, $3)', [
      tenantId,
      rows[0].use,
      COUNTED_AT_HOMES,
    ]);
  }

  /** Of which tenants the gateways' feeds told after a place, and where they end. */
  async newsAfter(
    seqs: Readonly<Record<string, number>>,
  ): Promise<{ seqs: Record<string, number>; tenants: string[] }> {
    const { rows } = await this.at(CONTROL).query(
      `select h.name, h.seq::int as head, array(select distinct coalesce(f.tenant_id::text, f.subject) from kernel.feed f
                where f.name = h.name and f.seq > coalesce(($1::jsonb ->> h.name)::bigint, h.seq) and f.seq <= h.seq) as tenants
         from kernel.feed_head h where h.name in ('licenses', 'tenants')`,
      [JSON.stringify(seqs)],
    );
    return {
      seqs: Object.fromEntries(rows.map(({ name, head }) => [name, head])),
      tenants: [...new Set<string>(rows.flatMap(({ tenants }) => tenants))],
    };
  }

  /** Closes the connections to a home. */
  async leave(home: Home): Promise<void> {
    const pool = this.pools.get(home);
    this.pools.delete(home);
    await pool?.end();
  }

  /** Forgets any other home than these to which there is no connection. */
  async leaveAllBut(homes: ReadonlySet<Home>): Promise<void> {
    for (const [home, { totalCount }] of [...this.pools])
      if (home !== CONTROL && !homes.has(home) && totalCount === 0) await this.leave(home);
  }

  async close(): Promise<void> {
    await Promise.all([...this.pools.keys()].map((home) => this.leave(home)));
  }

  private at(home: Home): pg.Pool {
    let pool = this.pools.get(home);
    if (!pool) {
      const connectionString = roleUrl(configAt(this.config, home), 'dotmac_relay');
      pool = new pg.Pool({ connectionString, max: 2, idleTimeoutMillis: IDLE_MS, connectionTimeoutMillis: 5_000 });
      pool.on('error', () => undefined).on('connect', (client) => client.on('error', () => undefined)); // the query itself fails
      this.pools.set(home, pool);
    }
    return pool;
  }
}
