-- As before, but that a licence goes with its tenant is no past of it.
create or replace function licensing.keep_past() returns trigger language plpgsql set search_path = pg_catalog as $$
declare
  no_facts text[] := coalesce(tg_argv, array[]::text[]);
  was jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) - no_facts end;
  became jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) - no_facts end;
  present jsonb := coalesce(became, was);
begin
  if was is not distinct from became then return null; end if;
  if tg_op = 'DELETE' and kernel.is_purging() then return null; end if;
  insert into licensing.license_past (tenant_id, license_id, noun, row_id, at, facts)
  values ((present ->> 'tenant_id')::uuid, coalesce(present ->> 'license_id', present ->> 'id')::uuid, tg_table_name,
          (present ->> 'id')::uuid, date_trunc('milliseconds', kernel.now()),
          (select jsonb_object_agg(key, value) from jsonb_each_text(became)));
  return null;
end $$;
