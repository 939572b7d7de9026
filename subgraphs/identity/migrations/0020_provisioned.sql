-- The first administrator of a new tenant is known by the run that asked for them.
alter table identity.membership add column run_id uuid;
create unique index membership_of_run on identity.membership (tenant_id, run_id) where run_id is not null;
