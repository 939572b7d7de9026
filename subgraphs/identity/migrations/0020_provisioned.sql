-- The first administrator of a new tenant: invited until they come, and known by the run that asked for them.
alter table identity.user drop constraint user_state_check;
alter table identity.user add constraint user_state_check
  check (state in ('INVITED', 'UNPROVED', 'ACTIVE', 'SUSPENDED', 'ERASED'));
alter table identity.membership drop constraint membership_state_check;
alter table identity.membership add constraint membership_state_check
  check (state in ('INVITED', 'ACTIVE', 'SUSPENDED', 'FROZEN', 'ENDED'));
alter table identity.membership add column run_id uuid;
create unique index membership_of_run on identity.membership (tenant_id, run_id) where run_id is not null;
