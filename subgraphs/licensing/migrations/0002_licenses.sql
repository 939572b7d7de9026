-- The licence of each tenant and what stands on it. State is computed from these facts and the time; `snapshot` is what
-- the licence's present version says, key by key, so that a change can tell what it changed.
create table licensing.license (
  tenant_id uuid not null,
  id uuid not null,
  version int not null check (version >= 1),
  plan_version_id uuid not null references licensing.plan_version,
  "interval" text not null check ("interval" in ('MONTH', 'YEAR')),
  anchor_day int not null check (anchor_day between 1 and 31),
  zone text not null,
  terms text not null check (terms in ('INVOICED', 'PREPAID')),
  valid_from timestamptz not null,
  trial_ends_at timestamptz,
  paid_until timestamptz,
  auto_renew boolean not null default true,
  enforcement text not null default 'ENFORCE' check (enforcement in ('ENFORCE', 'OBSERVE')),
  observe_until timestamptz,
  revoked_at timestamptz,
  snapshot jsonb not null default '{}',
  snapshot_at timestamptz,
  next_transition_at timestamptz,
  primary key (tenant_id, id),
  check ((enforcement = 'OBSERVE') = (observe_until is not null))
);
create unique index license_in_force on licensing.license (tenant_id) where revoked_at is null;
call kernel.make_tenanted('licensing.license', true, array['snapshot']);
call kernel.make_platform_readable('licensing.license');

create table licensing.license_add_on (
  tenant_id uuid not null,
  id uuid not null,
  license_id uuid not null,
  add_on_version_id uuid not null references licensing.add_on_version,
  quantity int not null check (quantity between 1 and 1000),
  starts_at timestamptz not null,
  ends_at timestamptz check (ends_at > starts_at),
  primary key (tenant_id, id),
  foreign key (tenant_id, license_id) references licensing.license
);
create index license_add_on_of on licensing.license_add_on (tenant_id, license_id);
call kernel.make_tenanted('licensing.license_add_on');
call kernel.make_platform_readable('licensing.license_add_on');

create table licensing.override (
  tenant_id uuid not null,
  id uuid not null,
  license_id uuid not null,
  key text not null,
  is_enabled boolean,
  "limit" bigint check ("limit" >= 0),
  is_unlimited boolean not null default false,
  policy text check (policy in ('HARD', 'SOFT', 'OVERAGE')),
  soft_margin_percent int check (soft_margin_percent between 0 and 50),
  unit_rate numeric(18, 6) check (unit_rate >= 0),
  expires_at timestamptz,
  reason text not null check (length(reason) between 5 and 500),
  primary key (tenant_id, id),
  unique (tenant_id, license_id, key),
  foreign key (tenant_id, license_id) references licensing.license,
  check (not is_unlimited or "limit" is null)
);
call kernel.make_tenanted('licensing.override');
call kernel.make_platform_readable('licensing.override');

create table licensing."grant" (
  tenant_id uuid not null,
  id uuid not null,
  license_id uuid not null,
  kind text not null check (kind in ('FEATURE', 'TOP_UP')),
  key text not null,
  amount bigint check (amount >= 0),
  remaining bigint check (remaining between 0 and amount),
  priority int not null default 50 check (priority between 0 and 100),
  starts_at timestamptz not null,
  expires_at timestamptz check (expires_at > starts_at),
  source text not null check (source in ('TRIAL', 'PROMOTION', 'SUPPORT', 'SALES')),
  rollover_max bigint not null default 0 check (rollover_max >= 0),
  reason text not null check (length(reason) between 5 and 500),
  primary key (tenant_id, id),
  foreign key (tenant_id, license_id) references licensing.license,
  check ((kind = 'TOP_UP') = (amount is not null and remaining is not null))
);
create index grant_of on licensing."grant" (tenant_id, license_id);
call kernel.make_tenanted('licensing."grant"');
call kernel.make_platform_readable('licensing."grant"');

create table licensing.hold (
  tenant_id uuid not null,
  id uuid not null,
  license_id uuid not null,
  kind text not null check (kind in ('TENANT_SUSPENDED', 'ABUSE', 'LEGAL', 'OPERATOR')),
  level text not null check (level in ('RESTRICTED', 'SUSPENDED')),
  reason text not null check (length(reason) between 5 and 500),
  placed_at timestamptz not null,
  placed_by text not null,
  lifted_at timestamptz,
  lifted_by text,
  primary key (tenant_id, id),
  foreign key (tenant_id, license_id) references licensing.license,
  check ((lifted_at is null) = (lifted_by is null))
);
create index hold_open on licensing.hold (tenant_id, license_id) where lifted_at is null;
call kernel.make_tenanted('licensing.hold');
call kernel.make_platform_readable('licensing.hold');

-- The history: one row per version, never changed.
create table licensing.license_change (
  tenant_id uuid not null,
  id uuid not null,
  license_id uuid not null,
  version int not null,
  previous_version int not null,
  changed_keys text[] not null,
  before jsonb not null,
  after jsonb not null,
  cause text not null,
  actor text not null,
  reason text,
  status text not null check (status = 'APPLIED'),
  effective_at timestamptz not null,
  lines jsonb not null default '[]',
  event_id uuid not null,
  at timestamptz not null default kernel.now(),
  primary key (tenant_id, id),
  unique (tenant_id, version),
  foreign key (tenant_id, license_id) references licensing.license,
  check (version = previous_version + 1)
);
call kernel.make_tenanted('licensing.license_change', false);
call kernel.make_platform_readable('licensing.license_change');
revoke update, delete on licensing.license_change from svc_licensing;
revoke delete on licensing.license, licensing."grant", licensing.hold from svc_licensing;
