-- Writes the next version of many licences at once, each with its history row, its event and what the kernel holds of
-- it, as a change of one licence does: to set a whole fleet back to OBSERVE takes seconds this way. What differs is
-- computed beforehand; a licence that is locked, or no longer as it was read, is left alone and given back.
--
-- Each tenant's rows are written with that tenant set. Audit entries are linked at once, while it is, and after its log
-- is locked, as in every other transaction; what gateways hear is written by the caller, after the last licence.
create function licensing.write_enforcement(versions jsonb) returns setof uuid language plpgsql
set search_path = pg_catalog as $$
declare one record; home text := current_setting('app.tenant_id'); home_offset text := current_setting('app.clock_offset');
begin
  set constraints kernel.link_audit immediate;
  for one in
    select * from jsonb_to_recordset(versions) as v (licensed_tenant_id uuid, license_id uuid, version int, snapshot jsonb,
      snapshot_at timestamptz, observe_until timestamptz, next_transition_at timestamptz, course jsonb, change jsonb,
      event jsonb) order by licensed_tenant_id
  loop
    perform set_config('app.tenant_id', one.licensed_tenant_id::text, true);
    perform from licensing.license l
      where l.id = one.license_id and l.version = one.version - 1 and l.revoked_at is null for update skip locked;
    if not found then
      return next one.licensed_tenant_id;
      continue;
    end if;
    perform set_config('app.clock_offset', coalesce((select p.clock_offset_seconds from kernel.tenant_profile p)::text, '0'), true);
    perform kernel.finish(jsonb_build_object('events', jsonb_build_array(one.event), 'platformEvents', '[]'::jsonb, 'feed', '[]'::jsonb,
      'timers', case when one.next_transition_at is null then '[]'::jsonb else jsonb_build_array(
        jsonb_build_object('task', 'licensing.advanceLicense', 'at', one.next_transition_at)) end));
    update licensing.license l set version = one.version, snapshot = one.snapshot, snapshot_at = one.snapshot_at,
           observe_until = one.observe_until, enforcement = case when one.observe_until is null then 'ENFORCE' else 'OBSERVE' end,
           next_transition_at = one.next_transition_at where l.id = one.license_id;
    insert into licensing.license_change (id, license_id, version, previous_version, changed_keys, before, after, cause,
           actor, status, effective_at, event_id)
    select c.id, one.license_id, one.version, one.version - 1, c.changed_keys, c.before, c.after, c.cause, c.actor,
           'APPLIED', one.snapshot_at, (one.event ->> 'id')::uuid
      from jsonb_to_record(one.change) as c (id uuid, changed_keys text[], before jsonb, after jsonb, cause text, actor text);
    update kernel.entitlement e set version = one.version, course = one.course where e.license_id = one.license_id;
    update kernel.quota q set license_version = one.version;
  end loop;
  perform set_config('app.tenant_id', home, true);
  perform set_config('app.clock_offset', home_offset, true);
end $$;
revoke all on function licensing.write_enforcement from public;
grant execute on function licensing.write_enforcement to svc_licensing;
