-- The whole life of a tenant, from the wish for one to the tombstone; and whether its writes pause while it moves.
alter table tenancy.tenant drop constraint tenant_state_check;
alter table tenancy.tenant add constraint tenant_state_check
  check (state in ('REQUESTED', 'PROVISIONING', 'FAILED', 'ACTIVE', 'SUSPENDED', 'CLOSING', 'PURGING', 'PURGED'));
alter table tenancy.tenant drop constraint tenant_check1;
alter table tenancy.tenant
  add column is_write_paused boolean not null default false,
  add column closes_at timestamptz,
  add column billing_email text,
  add check (state <> 'SUSPENDED' or suspended_at is not null),
  add check (state not in ('ACTIVE', 'REQUESTED', 'PROVISIONING', 'FAILED') or suspended_at is null),
  add check ((state in ('CLOSING', 'PURGING', 'PURGED')) = (closes_at is not null));
