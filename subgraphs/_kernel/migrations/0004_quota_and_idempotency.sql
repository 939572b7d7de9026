-- What a licence limits, counted in the transaction that uses it. Limits are written by licensing.
create table kernel.quota (
  tenant_id uuid not null,
  key text not null,
  kind text not null check (kind in ('GAUGE', 'COUNTER')),
  "limit" bigint check ("limit" >= 0),          -- null is unlimited
  policy text not null check (policy in ('HARD', 'SOFT', 'OVERAGE')),
  soft_margin_percent int not null default 0 check (soft_margin_percent between 0 and 50),
  used bigint not null default 0 check (used >= 0),
  anchor_day int not null check (anchor_day between 1 and 31),
  zone text not null,
  period_start timestamptz,
  period_end timestamptz,
  warned int[] not null default '{}',
  primary key (tenant_id, key)
);
call kernel.make_tenanted('kernel.quota', false);
grant select, insert, update on kernel.quota to dotmac_tenant_rw;

create table kernel.quota_receipt (
  tenant_id uuid not null,
  key text not null,
  once_key text not null,
  request_hash text not null,
  outcome jsonb not null,
  at timestamptz not null default now(),
  primary key (tenant_id, key, once_key)
);
call kernel.make_tenanted('kernel.quota_receipt', false);
grant select, insert, delete on kernel.quota_receipt to dotmac_tenant_rw;

-- The first answer of a door, kept under the key its caller chose.
create table kernel.idempotency_key (
  tenant_id uuid not null,
  door text not null,
  key text not null check (length(key) between 1 and 255),
  request_hash text not null,
  answer jsonb,
  expires_at timestamptz not null,
  primary key (tenant_id, door, key)
);
call kernel.make_tenanted('kernel.idempotency_key', false);
grant select, insert, update, delete on kernel.idempotency_key to dotmac_tenant_rw;

-- Numbers people read, per tenant and series, drawn as the last write of the transaction that uses them.
create table kernel.number_series (
  tenant_id uuid not null,
  series text not null,
  last bigint not null,
  primary key (tenant_id, series)
);
call kernel.make_tenanted('kernel.number_series', false);
grant select, insert, update on kernel.number_series to dotmac_tenant_rw;
