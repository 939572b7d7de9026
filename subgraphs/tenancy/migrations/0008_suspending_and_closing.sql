-- How long the service of a suspended tenant's subscribers goes on, and what a tenant that closes has agreed to.
alter table tenancy.tenant
  add column cut_service boolean not null default false,
  add column continuity_until timestamptz,
  add column closed_at timestamptz,
  add column waives_export boolean not null default false;
update tenancy.tenant set continuity_until = suspended_at + interval '30 days' where suspended_at is not null;
update tenancy.tenant set closed_at = kernel.now() where closes_at is not null;
alter table tenancy.tenant
  add check (not cut_service or suspension_reason in ('ABUSE', 'LEGAL', 'SECURITY')),
  add check (continuity_until is null or (suspended_at is not null and not cut_service)),
  add check ((closed_at is null) = (closes_at is null)),
  add check (not waives_export or closed_at is not null);

create table tenancy.legal_hold (
  tenant_id uuid not null,
  id uuid not null,
  reason text not null check (length(reason) between 3 and 500),
  placed_at timestamptz not null,
  placed_by uuid not null,
  lifted_at timestamptz,
  lifted_by uuid,
  primary key (tenant_id, id),
  check ((lifted_at is null) = (lifted_by is null))
);
create unique index one_legal_hold on tenancy.legal_hold (tenant_id) where lifted_at is null;
call kernel.make_tenanted('tenancy.legal_hold');
