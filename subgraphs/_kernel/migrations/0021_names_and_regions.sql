-- What a tenant is called, so that people are told where they may go; and in which region it lies (a column since 0018).
alter table kernel.tenant_profile add column name text;

-- As before, with all that may change of a profile.
create or replace function kernel.take_copies(wanted uuid, copies jsonb) returns void language plpgsql set search_path = pg_catalog as $$
declare
  ours kernel.quota; theirs kernel.quota;
  counting constant text[] := array['used', 'topped_up', 'reported', 'warned', 'period_start', 'period_end', 'day', 'day_ends_at',
                                    'day_added', 'day_peak', 'highest_closing', 'plain_until', 'top_ups'];
begin
  perform set_config('app.tenant_id', wanted::text, true);
  perform set_config('app.residence', 'HERE', true);
  insert into kernel.tenant_profile select * from jsonb_populate_record(null::kernel.tenant_profile, copies -> 'profile')
    on conflict (tenant_id) do update set slug = excluded.slug, name = excluded.name, state = excluded.state, zone = excluded.zone,
      locale = excluded.locale, currency = excluded.currency, country = excluded.country, region = excluded.region,
      settings = excluded.settings, clock_offset_seconds = excluded.clock_offset_seconds;
  if jsonb_typeof(copies -> 'entitlement') = 'object' then
    insert into kernel.entitlement as e select * from jsonb_populate_record(null::kernel.entitlement, copies -> 'entitlement')
      on conflict (tenant_id) do update set license_id = excluded.license_id, version = excluded.version, plan = excluded.plan,
        course = excluded.course, limits = excluded.limits where e.version <= excluded.version or e.license_id <> excluded.license_id;
  else
    delete from kernel.entitlement;
  end if;
  for theirs in select * from jsonb_populate_recordset(null::kernel.quota, copies -> 'quotas') loop
    select * into ours from kernel.quota q where q.key = theirs.key for update;
    if not found then insert into kernel.quota select theirs.*; continue; end if;
    if theirs.license_version < ours.license_version then continue; end if;
    delete from kernel.quota q where q.key = theirs.key;
    insert into kernel.quota
    select * from jsonb_populate_record(null::kernel.quota, to_jsonb(ours) || (to_jsonb(theirs) - counting) || jsonb_build_object(
      'plain_until', 0, 'reported', theirs.reported, 'used', greatest(0, ours.used - ours.reported + theirs.reported),
      'top_ups', (select coalesce(jsonb_agg(case when o.top_up is null then t.top_up else jsonb_set(t.top_up, '{remaining}',
                    to_jsonb(least((o.top_up ->> 'remaining')::numeric, (t.top_up ->> 'remaining')::numeric)::text)) end), '[]')
                    from jsonb_array_elements(theirs.top_ups) t (top_up)
                    left join jsonb_array_elements(ours.top_ups) o (top_up) on o.top_up ->> 'grantId' = t.top_up ->> 'grantId')));
  end loop;
end $$;
