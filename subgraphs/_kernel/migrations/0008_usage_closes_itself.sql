-- A counter knows its top-ups, its day and its period, so that whoever uses it first after one of them has ended closes
-- it. What a domain closes licensing finds here and tells.
alter table kernel.quota
  add column license_version int not null default 0,
  add column overage_cap bigint check (overage_cap >= 0),       -- most over the limit; null is without end
  add column unit_rate numeric(18, 6),
  add column top_ups jsonb not null default '[]',               -- [{grantId, remaining, priority, startsAt, expiresAt, rolloverMax}]
  add column topped_up bigint not null default 0,               -- use of this period that top-ups have paid for
  add column reported bigint not null default 0,                -- use told from outside, which no owner finds in its rows
  add column plain_until bigint not null default 0,             -- up to here use is counted and nothing else happens
  add column day date,
  add column day_ends_at timestamptz,
  add column day_added bigint not null default 0,
  add column day_peak bigint not null default 0,
  add column highest_closing bigint not null default 0;         -- of the days of this period

update kernel.quota q set license_version = e.version from kernel.entitlement e where e.tenant_id = q.tenant_id;

alter table kernel.quota_receipt add column expires_at timestamptz;   -- null for a gauge: until it is given back

create table kernel.quota_day (
  tenant_id uuid not null,
  key text not null,
  date date not null,
  id uuid not null default uuidv7(),
  added bigint not null,
  closing bigint not null,
  peak bigint not null,
  closed_at timestamptz not null default kernel.now(),
  primary key (tenant_id, key, date)
);
call kernel.make_tenanted('kernel.quota_day', false);
grant select, insert on kernel.quota_day to dotmac_tenant_rw;

-- A period of a metered quota that is over, until licensing has told what of it is charged.
create table kernel.metered_period (
  tenant_id uuid not null,
  key text not null,
  period_start timestamptz not null,
  period_end timestamptz not null,
  used bigint not null,
  included bigint not null,
  unit_rate numeric(18, 6) not null,
  primary key (tenant_id, key, period_start)
);
call kernel.make_tenanted('kernel.metered_period', false);
grant select, insert on kernel.metered_period to dotmac_tenant_rw;

-- Locks a counter for the rest of the transaction and then looks which of the keys have counted already: in one round
-- trip, and in this order, so that of two with the same key the second sees the first. A row older than the licence
-- the caller knows is not locked, for licensing is about to write it: it comes without receipts.
create function kernel.lock_quota(wanted text, once_keys jsonb, known_version int)
returns table (quota kernel.quota, receipts jsonb) language plpgsql set search_path = pg_catalog as $$
declare held kernel.quota;
begin
  select * into held from kernel.quota q where q.key = wanted and q.license_version >= known_version for update;
  if not found then return query select q, null::jsonb from kernel.quota q where q.key = wanted; return; end if;
  return query select held, coalesce((
    select jsonb_object_agg(r.once_key, jsonb_build_object('requestHash', r.request_hash, 'outcome', r.outcome))
      from kernel.quota_receipt r where r.key = wanted and r.once_key in (select jsonb_array_elements_text(once_keys))), '{}');
end $$;

-- Counts a use that burns no top-up, reaches no threshold and closes nothing, in one round trip; answers the use after
-- it. Null where more is to be decided, or the key has counted already.
create function kernel.count_plainly(wanted text, amount bigint, known_key text, hash text, known_version int, at timestamptz)
returns bigint language plpgsql set search_path = pg_catalog as $$
declare held kernel.quota;
begin
  select * into held from kernel.quota q where q.key = wanted and q.license_version >= known_version for update;
  if (amount <= held.plain_until - held.used and at < held.day_ends_at and at < held.period_end) is not true then return null; end if;
  if exists (select from kernel.quota_receipt r where r.key = wanted and r.once_key = known_key) then return null; end if;
  update kernel.quota q set used = held.used + amount, day_added = held.day_added + amount,
         day_peak = greatest(held.day_peak, held.used + amount) where q.key = wanted;
  insert into kernel.quota_receipt (key, once_key, request_hash, outcome, expires_at)
  values (wanted, known_key, hash,
          jsonb_build_object('used', (held.used + amount)::text, 'periodEnd', case when held.kind = 'COUNTER' then held.period_end end),
          case when held.kind = 'COUNTER' then held.period_end + interval '72 hours' end);
  return held.used + amount;
end $$;
