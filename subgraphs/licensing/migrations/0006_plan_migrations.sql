-- Orders to move licences from one version of a plan to another, and what became of each licence: one row is written in the
-- transaction that moves it, so that nothing is done twice.
create table licensing.plan_migration (
  tenant_id uuid not null,
  id uuid not null,
  from_version_id uuid not null references licensing.plan_version,
  to_version_id uuid not null references licensing.plan_version check (to_version_id <> from_version_id),
  timing text not null check (timing in ('NOW', 'PERIOD_END')),
  tenant_ids uuid[] not null check (cardinality(tenant_ids) > 0),
  preview_hash text not null check (length(preview_hash) = 64),
  ordered_by text not null,
  ordered_at timestamptz not null,
  finished_at timestamptz,
  primary key (tenant_id, id)
);
call kernel.make_tenanted('licensing.plan_migration');
revoke update, delete on licensing.plan_migration from svc_licensing;
grant update (finished_at) on licensing.plan_migration to svc_licensing;

create table licensing.plan_migration_step (
  tenant_id uuid not null,
  migration_id uuid not null,
  outcome text not null check (outcome in ('MOVED', 'SCHEDULED', 'LEFT')),
  at timestamptz not null default now(),
  primary key (tenant_id, migration_id)
);
call kernel.make_tenanted('licensing.plan_migration_step', false);
call kernel.make_platform_readable('licensing.plan_migration_step');
revoke update, delete on licensing.plan_migration_step from svc_licensing;
