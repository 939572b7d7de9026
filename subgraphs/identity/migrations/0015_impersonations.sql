-- Support that sees a tenant as one of its people does. The row lies in that tenant, so that it can always read who was
-- there, in whose name, and why.
create table identity.impersonation (
  tenant_id uuid not null,
  id uuid not null,
  home_id uuid not null generated always as (tenant_id) stored,   -- for readers across tenants
  operator_id uuid not null references identity.user (id),
  operator_membership_id uuid not null,
  operator_session_id uuid not null,
  user_id uuid not null references identity.user (id),
  membership_id uuid not null,
  mode text not null check (mode in ('READ', 'ACT')),
  reason text not null check (length(reason) between 10 and 500),
  ticket text check (length(ticket) between 1 and 60),
  approved_by uuid,
  state text not null check (state in ('WAITING', 'LIVE', 'REFUSED', 'LAPSED', 'ENDED')),
  end_reason text,
  requested_at timestamptz not null,
  started_at timestamptz,
  ends_at timestamptz not null,   -- while it waits: when it lapses
  ended_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, membership_id) references identity.membership (tenant_id, id),
  check (state <> 'LIVE' or (started_at is not null and ends_at <= started_at + interval '30 minutes')),
  check ((state in ('WAITING', 'LIVE')) = (ended_at is null))
);
-- One at a time over all tenants, which is why it does not begin with the tenant.
create unique index impersonation_of_operator on identity.impersonation (operator_id) where state in ('WAITING', 'LIVE');
create index impersonation_of_session on identity.impersonation (operator_session_id) where state = 'LIVE';
create index impersonation_open on identity.impersonation (tenant_id, ends_at) where state in ('WAITING', 'LIVE');
call kernel.make_tenanted('identity.impersonation');
call kernel.make_platform_readable('identity.impersonation');
