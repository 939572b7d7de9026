create table tenancy.tenant (
  tenant_id uuid not null,
  id uuid not null check (id = tenant_id),
  slug text not null check (slug ~ '^[a-z][a-z0-9-]{1,28}[a-z0-9]$' and slug !~ '--'),
  name text not null check (length(name) between 2 and 120),
  legal_name text,
  kind text not null check (kind in ('PRODUCTION', 'SANDBOX', 'PLATFORM')),
  state text not null check (state in ('ACTIVE', 'SUSPENDED')),
  suspended_at timestamptz,
  suspension_reason text,
  suspension_note text,
  country text not null check (country ~ '^[A-Z]{2}$'),
  zone text not null,
  locale text not null,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  contact_email text,
  version int not null default 1,
  created_at timestamptz not null default kernel.now(),
  primary key (tenant_id, id),
  check ((state = 'SUSPENDED') = (suspended_at is not null))
);
-- A slug is a name on the platform, so it is unique over all tenants: the one key here that does not begin with one.
create unique index tenant_slug on tenancy.tenant (slug);
call kernel.make_tenanted('tenancy.tenant');
call kernel.make_platform_readable('tenancy.tenant');

-- The kernel's copy, which every domain reads, is written with the tenant it copies.
grant insert, update on kernel.tenant_profile to svc_tenancy;
