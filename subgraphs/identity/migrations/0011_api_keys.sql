-- Keys with which an ISP's programs ask. Only the SHA-256 of a key is kept; a gateway finds it by that, whose it is.
create table identity.api_key (
  tenant_id uuid not null,
  id uuid not null,
  home_id uuid not null generated always as (tenant_id) stored,
  name text not null check (length(name) between 1 and 80),
  mode text not null check (mode in ('LIVE', 'TEST')),
  start text not null check (length(start) = 12),
  hash text not null check (hash ~ '^[0-9a-f]{64}$'),
  scopes text[] not null check (cardinality(scopes) between 1 and 60),
  addresses text[] not null check (cardinality(addresses) <= 20),
  requests_per_second int not null check (requests_per_second between 1 and 100),
  state text not null check (state in ('ACTIVE', 'ROTATING', 'RETIRED', 'REVIEW', 'SUSPENDED', 'REVOKED', 'EXPIRED')),
  made_by uuid references identity.user (id),
  replaced_by uuid,
  retires_at timestamptz,
  review_since timestamptz,
  -- Days before its end it was last told that it ends.
  warned_days int,
  expires_at timestamptz not null,
  last_used_at timestamptz,
  version int not null default 1,
  created_at timestamptz not null default kernel.now(),
  primary key (tenant_id, id)
);
create index api_key_live on identity.api_key (tenant_id, state);
-- Gateways know a key by its hash before they know its tenant.
create unique index api_key_hash on identity.api_key (hash);
call kernel.make_tenanted('identity.api_key');
call kernel.make_platform_readable('identity.api_key');
