create table billing.charge (
  tenant_id uuid not null,
  id uuid not null,
  customer_id uuid not null,
  key text not null,
  kind text not null check (kind in ('ONE_OFF', 'LICENSE')),
  description text not null check (length(description) between 1 and 200),
  quantity numeric(24, 12) not null check (quantity > 0),
  unit_price numeric(24, 12) not null check (unit_price >= 0 or kind = 'LICENSE'),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  net_minor bigint not null check (net_minor between -100000000000000000 and 100000000000000000),
  period_start timestamptz,
  period_end timestamptz,
  change_id uuid,
  posted_at timestamptz not null,
  primary key (tenant_id, id),
  constraint charge_key unique (tenant_id, key),
  foreign key (tenant_id, customer_id) references billing.customer (tenant_id, id),
  check ((period_start is null) = (period_end is null) and period_start < period_end)
);
create index charge_customer on billing.charge (tenant_id, customer_id, id);
call kernel.make_tenanted('billing.charge');
call kernel.make_customer_scoped('billing.charge', 'customer_id');
revoke update, delete on billing.charge from svc_billing;
