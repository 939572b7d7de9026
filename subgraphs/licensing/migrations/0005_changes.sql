-- Changes that wait: for the end of the paid period, or for money. A row's wanted end state is written once; only how it
-- ended is added. At most one is open for a licence.
create table licensing.planned_change (
  tenant_id uuid not null,
  id uuid not null,
  license_id uuid not null,
  status text not null check (status in ('SCHEDULED', 'AWAITING_PAYMENT', 'APPLIED', 'CANCELLED', 'SUPERSEDED')),
  direction text not null check (direction in ('UPGRADE', 'DOWNGRADE', 'MIXED')),
  cause text not null,
  plan_version_id uuid not null references licensing.plan_version,
  "interval" text not null check ("interval" in ('MONTH', 'YEAR')),
  add_ons jsonb not null,               -- [{addOnVersionId, quantity}]
  keep jsonb not null default '{}',     -- {quota: [ids]}
  is_restart boolean not null default false,
  from_ref text not null,
  to_ref text not null,
  lines jsonb not null,
  priced_at timestamptz not null,
  preview_hash text,
  effective_at timestamptz not null,
  settled_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, license_id) references licensing.license
);
create unique index planned_change_open on licensing.planned_change (tenant_id)
  where status in ('SCHEDULED', 'AWAITING_PAYMENT');
call kernel.make_tenanted('licensing.planned_change');
call kernel.make_platform_readable('licensing.planned_change');
revoke update, delete on licensing.planned_change from svc_licensing;
grant update (status, settled_at) on licensing.planned_change to svc_licensing;

-- What the platform's billing says of the documents that are about a licence. The newest word of each counts.
create table licensing.license_invoice (
  tenant_id uuid not null,
  invoice_id uuid not null,
  license_id uuid not null,
  change_id uuid,
  period_start timestamptz not null,
  period_end timestamptz not null check (period_end >= period_start),
  status text not null check (status in ('ISSUED', 'PAID', 'OVERDUE', 'REOPENED', 'DROPPED')),
  since timestamptz not null,           -- when it came into this status, on the tenant's clock
  seq bigint not null,                  -- place of the word in the platform's log
  primary key (tenant_id, invoice_id, period_start),
  foreign key (tenant_id, license_id) references licensing.license
);
create index license_invoice_of on licensing.license_invoice (tenant_id, license_id);
call kernel.make_tenanted('licensing.license_invoice');
call kernel.make_platform_readable('licensing.license_invoice');
revoke delete on licensing.license_invoice from svc_licensing;

alter table licensing.license
  add column granted_until timestamptz,      -- paid time that was given without an invoice
  add column asked_until timestamptz,        -- end of the last period that billing was asked to charge
  add column period_origin timestamptz,      -- where its periods began anew after it had ended
  add column renewal_due_at timestamptz,     -- when billing has to be asked for the next period
  add column lost_features text[] not null default '{}';
update licensing.license set granted_until = paid_until, asked_until = coalesce(paid_until, trial_ends_at);
create index license_renewal_due on licensing.license (tenant_id, renewal_due_at) where renewal_due_at is not null;

alter table licensing.license_change drop constraint license_change_status_check;
alter table licensing.license_change
  add check (status in ('APPLIED', 'SCHEDULED', 'AWAITING_PAYMENT'));
