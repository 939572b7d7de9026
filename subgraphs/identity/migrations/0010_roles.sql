-- The roles an ISP makes for itself; the built-in ones are code. Gateways ask for many tenants at once.
create table identity.role (
  tenant_id uuid not null,
  id uuid not null,
  home_id uuid not null generated always as (tenant_id) stored,   -- for readers across tenants
  key text not null check (key ~ '^[a-z][a-z0-9_]{2,39}$'),
  name text not null check (length(name) between 1 and 80),
  based_on text,
  adds text[] not null,
  removes text[] not null,
  max_members int check (max_members >= 1),
  version int not null default 1,
  created_at timestamptz not null default kernel.now(),
  primary key (tenant_id, id),
  unique (tenant_id, key)
);
call kernel.make_tenanted('identity.role');
call kernel.make_platform_readable('identity.role');

-- A single permission for one member for some time, with the reason.
create table identity.permission_grant (
  tenant_id uuid not null,
  id uuid not null,
  membership_id uuid not null,
  permission text not null,
  reason text not null check (length(reason) between 5 and 200),
  until timestamptz not null,
  granted_by uuid,
  granted_at timestamptz not null default kernel.now(),
  ended_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, membership_id) references identity.membership (tenant_id, id)
);
create unique index permission_grant_once on identity.permission_grant (tenant_id, membership_id, permission)
  where ended_at is null;
create index permission_grant_until on identity.permission_grant (tenant_id, until) where ended_at is null;
call kernel.make_tenanted('identity.permission_grant');
call kernel.make_platform_readable('identity.permission_grant');
