-- A tenant's own provider. A sign-in looks before it enters, so the control plane's reader sees it.
create table identity.sso_connection (
  tenant_id uuid not null,
  id uuid not null,
  home_id uuid not null generated always as (tenant_id) stored,
  kind text not null check (kind in ('OIDC')),
  issuer text not null check (length(issuer) <= 500),
  client_id text not null check (length(client_id) between 1 and 200),
  sealed_secret text,                                -- under the tenant's data key
  role_map jsonb not null,
  is_required boolean not null,
  creates_members boolean not null,
  emergency_ids uuid[] not null check (cardinality(emergency_ids) <= 2),   -- people whose passwords go on working
  state text not null check (state in ('DRAFT', 'ACTIVE', 'OFF')),
  tested_at timestamptz,
  version int not null default 1,
  created_at timestamptz not null default kernel.now(),
  primary key (tenant_id, id),
  check (state <> 'ACTIVE' or tested_at is not null)
);
call kernel.make_tenanted('identity.sso_connection');
call kernel.make_platform_readable('identity.sso_connection');

-- Domains of mail addresses. One tenant at a time has proved one; what its connection demands is repeated here, because a
-- sign-in knows the domain before it knows a tenant.
create table identity.email_domain (
  id uuid primary key,
  home_id uuid not null,
  domain text not null check (domain = lower(domain) and length(domain) <= 253),
  token text not null,
  state text not null check (state in ('PENDING', 'PROVED', 'LOST')),
  failures int not null default 0 check (failures >= 0),
  checked_at timestamptz,
  connection_id uuid,
  is_offered boolean not null default false,
  is_required boolean not null default false,
  emergency_ids uuid[] not null default '{}',
  created_at timestamptz not null,
  unique (home_id, domain),
  check (not is_required or is_offered),
  check (not is_offered or connection_id is not null)
);
create unique index email_domain_proved_once on identity.email_domain (domain) where state = 'PROVED';
call kernel.goes_with_tenant('identity.email_domain', 'home_id = kernel.tenant_id()', true);
