-- A sandbox lives for a while.
alter table tenancy.tenant add column sandbox_ends_at timestamptz check (sandbox_ends_at is null or kind = 'SANDBOX');

-- Somebody who asked for a tenant and has yet to prove their mail. The token is kept as its hash.
create table tenancy.sign_up (
  tenant_id uuid not null,
  id uuid not null,
  home_id uuid not null generated always as (tenant_id) stored,   -- says the tenant aloud, for readers across tenants
  token_hash text not null,
  wanted jsonb,
  terms_version text not null,
  state text not null check (state in ('PENDING', 'CONFIRMED', 'LAPSED')),
  expires_at timestamptz not null,
  created_at timestamptz not null,
  primary key (tenant_id, id)
);
call kernel.make_tenanted('tenancy.sign_up', true, '{wanted,token_hash}');
call kernel.make_platform_readable('tenancy.sign_up');

-- How often something was asked from an address or for a mail, of which only a keyed hash is kept. In the platform.
create table tenancy.asked_count (
  tenant_id uuid not null,
  key text not null,
  count int not null,
  ends_at timestamptz not null,
  primary key (tenant_id, key)
);
call kernel.make_tenanted('tenancy.asked_count', false);
