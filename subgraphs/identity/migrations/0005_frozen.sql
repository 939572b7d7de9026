-- A membership the plan has no seat for any more. It stays, and is as it was when there is a seat again.
alter table identity.membership drop constraint membership_state_check;
alter table identity.membership add constraint membership_state_check
  check (state in ('ACTIVE', 'SUSPENDED', 'FROZEN', 'ENDED'));

-- The licence version whose limit of staff was applied last: older news that come later change nothing.
create table identity.seat_limit (
  tenant_id uuid primary key,
  version int not null
);
call kernel.make_tenanted('identity.seat_limit', false);
