create table billing.customer (
  tenant_id uuid not null,
  id uuid not null,
  number text not null,
  name text not null check (length(name) between 1 and 200),
  kind text not null check (kind in ('PERSON', 'BUSINESS')),
  status text not null check (status in ('PROSPECT', 'ACTIVE', 'CLOSED')),
  email text,
  phone text,
  billing_address jsonb,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  time_zone text not null,
  billing_day int not null check (billing_day between 1 and 31),
  locale text,
  licensed_tenant_id uuid,
  version int not null default 1,
  created_at timestamptz not null default kernel.now(),
  primary key (tenant_id, id),
  constraint customer_number unique (tenant_id, number),
  constraint customer_licensed_tenant unique (tenant_id, licensed_tenant_id)
);
call kernel.make_tenanted('billing.customer');
call kernel.make_customer_scoped('billing.customer', 'id');
revoke delete on billing.customer from svc_billing;
