-- What a licence rested on, from which instant: one row for each row that was written, changed or removed, in the order
-- in which it was. Written by triggers, so that no write can forget it, and never changed. `facts` holds the columns as
-- texts, for a number in JSON may be too large to be read back; null is a row that is gone. It begins with this migration:
-- what a licence said before cannot be told.
create table licensing.license_past (
  tenant_id uuid not null,
  seq bigint generated always as identity,
  license_id uuid not null,
  noun text not null,
  row_id uuid not null,
  at timestamptz not null,
  facts jsonb,
  primary key (tenant_id, seq)
);
call kernel.make_tenanted('licensing.license_past', false);
revoke update, delete on licensing.license_past from svc_licensing;

-- Its arguments name the columns that are no facts: what follows from others, and what runs down by use. Instants have
-- milliseconds, as everywhere outside the database.
create function licensing.keep_past() returns trigger language plpgsql set search_path = pg_catalog as $$
declare
  no_facts text[] := coalesce(tg_argv, array[]::text[]);
  was jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) - no_facts end;
  became jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) - no_facts end;
  present jsonb := coalesce(became, was);
begin
  if was is not distinct from became then return null; end if;
  insert into licensing.license_past (tenant_id, license_id, noun, row_id, at, facts)
  values ((present ->> 'tenant_id')::uuid, coalesce(present ->> 'license_id', present ->> 'id')::uuid, tg_table_name,
          (present ->> 'id')::uuid, date_trunc('milliseconds', kernel.now()),
          (select jsonb_object_agg(key, value) from jsonb_each_text(became)));
  return null;
end $$;

create trigger past after insert or update on licensing.license for each row
  execute function licensing.keep_past('version', 'snapshot', 'snapshot_at', 'next_transition_at', 'lapses_at', 'lapsed_since',
    'granted_until', 'asked_until', 'renewal_due_at');
create trigger past after insert or update or delete on licensing.license_add_on for each row execute function licensing.keep_past();
create trigger past after insert or update or delete on licensing.override for each row execute function licensing.keep_past();
create trigger past after insert or update on licensing."grant" for each row execute function licensing.keep_past('remaining');
create trigger past after insert or update on licensing.hold for each row execute function licensing.keep_past();
create trigger past after insert or update on licensing.planned_change for each row execute function licensing.keep_past();

insert into licensing.license_past (tenant_id, license_id, noun, row_id, at, facts)
select t.tenant_id, t.license_id, t.noun, t.id, date_trunc('milliseconds', now()), (select jsonb_object_agg(key, value) from jsonb_each_text(t.facts))
  from (
    select tenant_id, id as license_id, 'license' as noun, id,
           to_jsonb(l) - array['version', 'snapshot', 'snapshot_at', 'next_transition_at', 'granted_until', 'asked_until', 'renewal_due_at'] as facts from licensing.license l
    union all select tenant_id, license_id, 'license_add_on', id, to_jsonb(a) from licensing.license_add_on a
    union all select tenant_id, license_id, 'override', id, to_jsonb(o) from licensing.override o
    union all select tenant_id, license_id, 'grant', id, to_jsonb(g) - 'remaining' from licensing."grant" g
    union all select tenant_id, license_id, 'hold', id, to_jsonb(h) from licensing.hold h
    union all select tenant_id, license_id, 'planned_change', id, to_jsonb(c) from licensing.planned_change c
  ) t;

-- A licence that a provisioning run asked for and undid is as if it had never been. Whether renewal was stopped because
-- the tenant closed. When it lapses, and the end of which it was told that it has.
alter table licensing.license
  add run_id uuid,
  add is_withdrawn boolean not null default false check (not is_withdrawn or revoked_at is not null),
  add resumes_renewal boolean not null default false,
  add lapses_at timestamptz,
  add lapsed_since timestamptz;
alter table licensing.license disable trigger user;   -- it changes nothing anybody did
update licensing.license set lapses_at = (snapshot ->> 'restrictedEndsAt')::timestamptz + interval '30 days';
alter table licensing.license enable trigger user;

-- The first of the two signatures a revocation needs.
create table licensing.license_revocation (
  tenant_id uuid not null,
  license_id uuid not null,
  asked_by uuid not null,
  asked_at timestamptz not null,
  reason text not null check (length(reason) between 5 and 500),
  primary key (tenant_id, license_id),
  foreign key (tenant_id, license_id) references licensing.license
);
call kernel.make_tenanted('licensing.license_revocation');
revoke delete on licensing.license_revocation from svc_licensing;

-- What is given before it begins and ended before it does is an empty stretch of time.
alter table licensing."grant" drop constraint grant_check1, add constraint grant_check1 check (expires_at >= starts_at);

-- A tenant whose licence was withdrawn has none.
grant delete on kernel.entitlement to svc_licensing;
