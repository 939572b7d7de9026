-- What licences denied, one row for each feature an answer went without. Written by the thousand and about no row of
-- anybody's, so not audited. `at` is told to the millisecond, as cursors are.
create table licensing.denial (
  tenant_id uuid not null,
  id uuid not null,
  feature text not null check (length(feature) between 1 and 64),
  coordinate text not null check (length(coordinate) between 3 and 255),
  reason text not null check (length(reason) between 1 and 32),
  plan text check (length(plan) between 1 and 32),
  actor uuid,
  at timestamptz not null,
  was_observed boolean not null,
  clicked_at timestamptz,
  bought_at timestamptz check (bought_at >= clicked_at),
  primary key (tenant_id, id)
);
create index denial_clicked on licensing.denial (tenant_id, feature, clicked_at) where clicked_at is not null;
create index denial_everywhere on licensing.denial (at, id);   -- the control plane's list and figures, over all tenants
call kernel.make_tenanted('licensing.denial', false);
call kernel.make_platform_readable('licensing.denial');

-- What is left of them after 90 days. The day is that of the tenant's zone; plan is `none` without a licence.
create table licensing.denial_day (
  tenant_id uuid not null,
  date date not null,
  feature text not null,
  reason text not null,
  plan text not null,
  denials int not null,
  observed int not null,
  clicked int not null,
  bought int not null,
  primary key (tenant_id, date, feature, reason, plan)
);
call kernel.make_tenanted('licensing.denial_day', false);
call kernel.make_platform_readable('licensing.denial_day');

-- Whose they are, for the doors of the control plane.
create view licensing.tenant_denial with (security_invoker = true) as
  select tenant_id as denied_tenant_id, id, feature, coordinate, reason, plan, actor, at, was_observed, clicked_at, bought_at
    from licensing.denial;
revoke insert, update, delete on licensing.tenant_denial from svc_licensing;
grant select on licensing.tenant_denial to dotmac_platform;

-- How long each change of a licence waited for the gateways, and how many of them held it when it was answered.
create table licensing.propagation (
  id uuid primary key default uuidv7(),
  at timestamptz not null default clock_timestamp(),
  nodes int not null,
  acknowledged int not null check (acknowledged between 0 and nodes),
  waited_ms int not null check (waited_ms >= 0)
);
create index propagation_at on licensing.propagation (at);
revoke update on licensing.propagation from svc_licensing;
grant select on licensing.propagation to dotmac_platform;

-- Gateways that are gone are forgotten.
grant delete on licensing.gateway_node to svc_licensing;
