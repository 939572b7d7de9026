-- How a person comes and goes: invited or registered, proved, suspended by the platform or locked by themselves, erased.
alter table identity.user drop constraint user_state_check;
alter table identity.user add constraint user_state_check
  check (state in ('INVITED', 'UNPROVED', 'ACTIVE', 'SUSPENDED', 'ERASED'));
alter table identity.user add column is_locked_by_owner boolean not null default false;
alter table identity.user add check (state = 'SUSPENDED' or not is_locked_by_owner);
alter table identity.user alter column email drop not null;
alter table identity.user add check ((state = 'ERASED') = (email is null));
create index unproved_user on identity.user (created_at) where state = 'UNPROVED';

-- A link in a mail: one of a purpose per person, good once. Only the token's hash is kept.
create table identity.mail_proof (
  hash text primary key,
  user_id uuid not null references identity.user (id) on delete cascade,
  purpose text not null check (purpose in ('ACTIVATE', 'RESET', 'VERIFY', 'CHANGE')),
  new_email text,
  expires_at timestamptz not null,
  unique (user_id, purpose),
  check ((purpose = 'CHANGE') = (new_email is not null))
);

-- Who was invited and has not come yet: a first administrator, a portal account.
alter table identity.membership drop constraint membership_state_check;
alter table identity.membership add constraint membership_state_check
  check (state in ('INVITED', 'ACTIVE', 'SUSPENDED', 'FROZEN', 'ENDED'));
create index membership_waiting on identity.membership (tenant_id) where state = 'INVITED';
