-- People stand above tenants: these tables have no tenant, and identity's role alone reads and writes them.

create table identity.user (
  id uuid primary key,
  realm text not null check (realm = 'STAFF' or realm ~ '^[0-9a-f-]{36}$'),   -- staff, or the ISP whose subscriber it is
  email text not null check (email = lower(email) and length(email) <= 254),
  is_email_verified boolean not null,
  display_name text not null check (length(display_name) between 1 and 120),
  locale text not null,
  state text not null check (state in ('ACTIVE', 'SUSPENDED')),
  password_changed_at timestamptz,
  created_at timestamptz not null default now(),
  unique (realm, email)
);

create table identity.credential (
  user_id uuid primary key references identity.user (id),
  hash text not null check (hash like '$argon2id$%')
);

-- What a person is in one tenant. `home_id` says the tenant aloud, for readers across tenants.
create table identity.membership (
  tenant_id uuid not null,
  id uuid not null,
  home_id uuid not null generated always as (tenant_id) stored,
  user_id uuid not null references identity.user (id),
  kind text not null check (kind in ('STAFF', 'PORTAL')),
  roles text[] not null check (cardinality(roles) between 1 and 5),
  customer_id uuid,
  state text not null check (state in ('ACTIVE', 'SUSPENDED', 'ENDED')),
  version int not null default 1,
  created_at timestamptz not null default kernel.now(),
  ended_at timestamptz,
  primary key (tenant_id, id),
  check ((kind = 'PORTAL') = (customer_id is not null)),
  check ((state = 'ENDED') = (ended_at is not null))
);
create unique index membership_of_staff on identity.membership (tenant_id, user_id)
  where kind = 'STAFF' and state <> 'ENDED';
create unique index membership_of_portal on identity.membership (tenant_id, user_id, customer_id)
  where kind = 'PORTAL' and state <> 'ENDED';
create index membership_by_user on identity.membership (tenant_id, user_id);
-- The one index here that does not begin with the tenant: a sign-in asks for one person's memberships everywhere.
create index membership_everywhere on identity.membership (user_id);
call kernel.make_tenanted('identity.membership');
call kernel.make_platform_readable('identity.membership');
call kernel.make_customer_scoped('identity.membership', 'customer_id');
