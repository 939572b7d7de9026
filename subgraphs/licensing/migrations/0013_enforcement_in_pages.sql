-- Writes the next version of many licences at once, each with its history row, its event and what the kernel holds of
-- it, as a change of one licence does: to set a whole fleet back to OBSERVE takes seconds this way. What differs is
-- computed beforehand; a licence that is locked, or no longer as it was read, is left alone. Given back are those that
-- were written, with the instant at which time makes the next version of each, on nobody's moved clock.
--
-- Each tenant's rows are written with that tenant set. Audit entries are linked at once, while it is, and after its log
-- is locked, as in every other transaction; what gateways hear and timers are written by the caller, for all together.
drop function licensing.write_enforcement;
create function licensing.write_enforcement_page(versions jsonb) returns table (licensed_tenant_id uuid, due_at timestamptz)
language plpgsql set search_path = pg_catalog as $$
declare one record; clock_offset bigint; home text := current_setting('app.tenant_id'); home_offset text := current_setting('app.clock_offset');
begin
  set constraints kernel.link_audit immediate;
  for one in
    select * from jsonb_to_recordset(versions) as v (tenant uuid, license_id uuid, version int, at timestamptz,
      observe_until timestamptz, next_transition_at timestamptz, course jsonb, change_id uuid, actor text,
      changed_keys text[], before jsonb, after jsonb, event jsonb) order by tenant
  loop
    perform set_config('app.tenant_id', one.tenant::text, true);
    perform from licensing.license l
      where l.id = one.license_id and l.version = one.version - 1 and l.revoked_at is null for update skip locked;
    continue when not found;
    select coalesce(max(p.clock_offset_seconds), 0) into clock_offset from kernel.tenant_profile p;
    perform set_config('app.clock_offset', clock_offset::text, true);
    perform kernel.finish(jsonb_build_object('events', jsonb_build_array(one.event)));
    update licensing.license l set version = one.version, snapshot = (l.snapshot - one.changed_keys) || jsonb_strip_nulls(one.after),
           snapshot_at = one.at, observe_until = one.observe_until,
           enforcement = case when one.observe_until is null then 'ENFORCE' else 'OBSERVE' end,
           next_transition_at = one.next_transition_at where l.id = one.license_id;
    insert into licensing.license_change (id, license_id, version, previous_version, changed_keys, before, after, cause,
           actor, status, effective_at, event_id)
    values (one.change_id, one.license_id, one.version, one.version - 1, one.changed_keys, one.before, one.after,
            'ENFORCEMENT_SET', one.actor, 'APPLIED', one.at, (one.event ->> 'id')::uuid);
    update kernel.entitlement e set version = one.version, course = one.course where e.license_id = one.license_id;
    update kernel.quota q set license_version = one.version;
    licensed_tenant_id := one.tenant;
    due_at := one.next_transition_at - make_interval(secs => clock_offset);
    return next;
  end loop;
  perform set_config('app.tenant_id', home, true);
  perform set_config('app.clock_offset', home_offset, true);
end $$;
revoke all on function licensing.write_enforcement_page from public;
grant execute on function licensing.write_enforcement_page to svc_licensing;
