-- The catalogue is written through its doors: drafts, what becomes of them, and add-ons. The plans themselves stay as
-- migrations made them. Who changed what is in the platform's audit log.
alter table licensing.add_on_version add column meter jsonb;   -- {quota, unitRate (digits)}

-- One version of each is for sale; the former ones stay valid for who holds them.
create unique index plan_version_for_sale on licensing.plan_version (plan_id) where status = 'PUBLISHED';
create unique index add_on_version_for_sale on licensing.add_on_version (add_on_id) where status = 'PUBLISHED';

-- A published version never changes: it can only be retired, and nothing comes back.
create function licensing.keep_published() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
  if old.status = 'DRAFT' and new.status <> 'RETIRED' then return new; end if;
  if old.status = 'PUBLISHED' and new.status = 'RETIRED' and to_jsonb(new) - 'status' = to_jsonb(old) - 'status' then
    return new;
  end if;
  raise exception 'A published version does not change.' using errcode = 'restrict_violation';
end $$;
create trigger keep_published before update on licensing.plan_version for each row execute function licensing.keep_published();
create trigger keep_published before update on licensing.add_on_version for each row execute function licensing.keep_published();

create trigger audit after insert or update on licensing.plan_version for each row execute function kernel.audit_row();
create trigger audit after insert or update on licensing.add_on for each row execute function kernel.audit_row();
create trigger audit after insert or update on licensing.add_on_version for each row execute function kernel.audit_row();

grant insert, update on licensing.plan_version to svc_licensing;
grant insert, update (name, ladder) on licensing.add_on to svc_licensing;
grant insert, update (status) on licensing.add_on_version to svc_licensing;
