-- Copies between the control plane and the homes of tenants, carried by the role dotmac_relay, which the wall binds.
grant usage on schema kernel to dotmac_relay, dotmac_jobs;
grant insert, update on kernel.tenant_profile, kernel.quota to dotmac_relay;
grant delete on kernel.quota to dotmac_relay;
grant insert, update, delete on kernel.entitlement to dotmac_relay;
create policy jobs_know_homes on kernel.placement as permissive for select to dotmac_jobs using (true);
grant select on kernel.placement to dotmac_jobs;

-- What a home must know of its tenant, as the control plane has it.
create function kernel.copies_of(wanted uuid) returns jsonb language plpgsql set search_path = pg_catalog as $$
begin
  perform set_config('app.tenant_id', wanted::text, true);
  return jsonb_build_object(
    'profile', (select to_jsonb(p) from kernel.tenant_profile p),
    'entitlement', (select to_jsonb(e) from kernel.entitlement e),
    'quotas', (select coalesce(jsonb_agg(to_jsonb(q) order by q.key), '[]') from kernel.quota q));
end $$;

-- Takes them up at the home: a licence only if it is no older than the one that is held. Of a counter what the licence
-- says and what was told from outside; what is used here stays.
create function kernel.take_copies(wanted uuid, copies jsonb) returns void language plpgsql set search_path = pg_catalog as $$
declare
  ours kernel.quota; theirs kernel.quota;
  counting constant text[] := array['used', 'topped_up', 'reported', 'warned', 'period_start', 'period_end', 'day', 'day_ends_at',
                                    'day_added', 'day_peak', 'highest_closing', 'plain_until', 'top_ups'];
begin
  perform set_config('app.tenant_id', wanted::text, true);
  perform set_config('app.residence', 'HERE', true);
  insert into kernel.tenant_profile select * from jsonb_populate_record(null::kernel.tenant_profile, copies -> 'profile')
    on conflict (tenant_id) do update set slug = excluded.slug, state = excluded.state, zone = excluded.zone,
      currency = excluded.currency, country = excluded.country, clock_offset_seconds = excluded.clock_offset_seconds;
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

-- The counters of a tenant as its home has them.
create function kernel.use_of(wanted uuid) returns jsonb language plpgsql set search_path = pg_catalog as $$
begin
  perform set_config('app.tenant_id', wanted::text, true);
  return (select coalesce(jsonb_agg(to_jsonb(q) order by q.key), '[]') from kernel.quota q);
end $$;

-- Takes up at the control plane what was used at the home of a tenant, of the counters that are counted there. A period
-- that is over there and not yet here is closed here first, by whoever closes them; until then its use is left alone.
create function kernel.take_use(wanted uuid, quotas jsonb, counted text[]) returns void language plpgsql set search_path = pg_catalog as $$
declare ours kernel.quota; theirs kernel.quota;
begin
  perform set_config('app.tenant_id', wanted::text, true);
  perform set_config('app.residence', 'HERE', true);
  for theirs in select * from jsonb_populate_recordset(null::kernel.quota, quotas) q where q.key = any (counted) loop
    select * into ours from kernel.quota q where q.key = theirs.key for update;
    continue when not found or theirs.kind = 'COUNTER' and theirs.period_start is distinct from ours.period_start;
    theirs.used := greatest(0, theirs.used - theirs.reported + ours.reported);
    continue when theirs.used = ours.used and theirs.topped_up = ours.topped_up;
    update kernel.quota q set used = theirs.used, topped_up = theirs.topped_up, top_ups = theirs.top_ups, warned = theirs.warned,
           day_added = ours.day_added + greatest(0, theirs.used - ours.used), day_peak = greatest(ours.day_peak, theirs.used)
     where q.key = theirs.key;
  end loop;
end $$;
