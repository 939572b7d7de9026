-- What can be licensed. The same for every tenant, so these tables carry none; a published version never changes, which
-- is why a version is one row and why the service may only read it.
create table licensing.plan (
  id uuid primary key,
  code text not null unique check (code ~ '^[a-z][a-z0-9_]{1,31}$'),
  name text not null check (length(name) between 1 and 60),
  is_listed boolean not null,
  is_endless boolean not null default false
);

create table licensing.plan_version (
  id uuid primary key,
  plan_id uuid not null references licensing.plan,
  number int not null check (number >= 1),
  status text not null check (status in ('DRAFT', 'PUBLISHED', 'RETIRED')),
  price_minor bigint not null check (price_minor >= 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  annual_discount_percent numeric(5, 2) not null check (annual_discount_percent between 0 and 100),
  trial_days int not null check (trial_days between 0 and 90),
  grace_days int not null check (grace_days between 0 and 30),
  restricted_days int not null check (restricted_days between 0 and 60),
  features text[] not null,
  limits jsonb not null,       -- [{key, limit (digits; null is unlimited), policy, softMarginPercent?, unitRate?, overageCap?}]
  unique (plan_id, number)
);

create table licensing.add_on (
  id uuid primary key,
  code text not null unique check (code ~ '^[a-z][a-z0-9_]{1,31}$'),
  name text not null check (length(name) between 1 and 60),
  ladder text not null check (ladder in ('FREE', 'BASIC', 'PREMIUM', 'ENTERPRISE'))
);

create table licensing.add_on_version (
  id uuid primary key,
  add_on_id uuid not null references licensing.add_on,
  version int not null check (version >= 1),
  status text not null check (status in ('DRAFT', 'PUBLISHED', 'RETIRED')),
  price_minor bigint not null check (price_minor >= 0),
  setup_fee_minor bigint not null default 0 check (setup_fee_minor >= 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  features text[] not null default '{}',
  limits jsonb not null default '[]',   -- [{key, mode ADD or SET, amount (digits; null is unlimited)}]
  requires text[] not null default '{}',
  max_quantity int not null default 1 check (max_quantity between 1 and 1000),
  unique (add_on_id, version)
);

revoke insert, update, delete on licensing.plan, licensing.plan_version, licensing.add_on, licensing.add_on_version from svc_licensing;
grant usage on schema licensing to dotmac_platform;
grant select on licensing.plan, licensing.plan_version, licensing.add_on, licensing.add_on_version to dotmac_platform;
