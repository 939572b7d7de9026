-- How a tenant comes to be: one row per attempt, what each step has come to, and every change of it for whoever follows.
create table tenancy.provisioning_run (
  tenant_id uuid not null,
  id uuid not null,
  home_id uuid not null generated always as (tenant_id) stored,   -- says the tenant aloud, for readers across tenants
  state text not null check (state in ('PENDING', 'RUNNING', 'WAITING', 'COMPENSATING', 'SUCCEEDED', 'FAILED', 'STUCK')),
  wanted jsonb not null,
  steps jsonb not null,
  error text,
  seq int not null check (seq >= 1),
  customer_id uuid,
  ticket_hash text,
  due_at timestamptz,
  held_until timestamptz,
  moved_at timestamptz not null,
  created_at timestamptz not null,
  primary key (tenant_id, id)
);
create unique index provisioning_run_open on tenancy.provisioning_run (tenant_id) where state not in ('SUCCEEDED', 'FAILED');
call kernel.make_tenanted('tenancy.provisioning_run', true, '{wanted,ticket_hash}');
call kernel.make_platform_readable('tenancy.provisioning_run');

create table tenancy.provisioning_change (
  tenant_id uuid not null,
  run_id uuid not null,
  seq int not null,
  progress jsonb not null,
  primary key (tenant_id, run_id, seq),
  foreign key (tenant_id, run_id) references tenancy.provisioning_run (tenant_id, id)
);
call kernel.make_tenanted('tenancy.provisioning_change', false);

-- The names a tenant is reached under.
create table tenancy.tenant_domain (
  tenant_id uuid not null,
  id uuid not null,
  host text not null check (host = lower(host) and length(host) <= 253),
  kind text not null check (kind in ('PLATFORM_SUBDOMAIN', 'CUSTOM')),
  state text not null check (state in ('PENDING', 'VERIFIED', 'ACTIVE', 'EXPIRED', 'LOST', 'RELEASED')),
  created_at timestamptz not null default kernel.now(),
  primary key (tenant_id, id)
);
create unique index tenant_domain_of_platform on tenancy.tenant_domain (tenant_id) where kind = 'PLATFORM_SUBDOMAIN';
call kernel.make_tenanted('tenancy.tenant_domain');
