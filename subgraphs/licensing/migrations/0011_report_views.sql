-- What existing reports read, under the names they use: `dotmac_reports` finds the views by its search path, sets
-- `app.tenant_id`, and sees that tenant's rows and no others. It may look and nothing else.
create schema reports;
grant usage on schema reports, licensing to dotmac_reports;

create procedure reports.open(target regclass) language plpgsql as $$
begin
  execute format('create policy report_rows on %s as permissive for select to dotmac_reports
    using (tenant_id = (select kernel.tenant_id()))', target);
  execute format('grant select on %s to dotmac_reports', target);
end $$;
call reports.open('licensing.license');
call reports.open('licensing.license_change');
call reports.open('licensing.denial');
call reports.open('kernel.entitlement');
call reports.open('kernel.quota');
call reports.open('kernel.tenant_profile');
drop procedure reports.open;
grant select on licensing.plan, licensing.plan_version, licensing.add_on_version to dotmac_reports;

-- The licence in force, as it is now: a feature that can only be read is on, -1 is without limit, and a valid_until of
-- null never comes.
create view reports.tenant_licenses with (security_invoker = true) as
  select l.tenant_id, e.plan as plan_tier,
         (select jsonb_object_agg(f.key, coalesce(step.value -> 'features' -> f.key ->> 'access', 'NONE') <> 'NONE')
            from (select unnest(features) as key from licensing.plan_version
                  union select unnest(features) from licensing.add_on_version) f) as features,
         (select jsonb_object_agg(q.key, coalesce((q.value ->> 'limit')::bigint, -1)) from jsonb_each(e.limits) q) as usage_limits,
         l.valid_from at time zone 'UTC' as valid_from,
         case when not p.is_endless then coalesce(greatest(l.trial_ends_at, l.paid_until), l.valid_from) end
           at time zone 'UTC' as valid_until,
         l.auto_renew, h.created_at at time zone 'UTC' as created_at, h.updated_at at time zone 'UTC' as updated_at
    from licensing.license l
    join licensing.plan_version v on v.id = l.plan_version_id
    join licensing.plan p on p.id = v.plan_id
    join kernel.entitlement e on e.tenant_id = l.tenant_id
    left join kernel.tenant_profile t on t.tenant_id = l.tenant_id
    left join lateral (select value from jsonb_array_elements(e.course) with ordinality c (value, place)
                        where (value ->> 'from')::timestamptz <= now() + make_interval(secs => coalesce(t.clock_offset_seconds, 0))
                        order by place desc limit 1) step on true
    left join lateral (select min(c.at) as created_at, max(c.at) as updated_at from licensing.license_change c
                        where c.tenant_id = l.tenant_id and c.license_id = l.id) h on true
   where l.revoked_at is null;

-- What is in use today, by quota: of a gauge what exists, of a counter what was used since its period began.
create view reports.feature_usage with (security_invoker = true) as
  select md5(q.tenant_id || q.key || today.date)::uuid as id, q.tenant_id, q.key as feature_name,
         case when q.kind = 'COUNTER' and q.period_end <= today.at then 0 else q.used end as usage_count,
         today.date as usage_date, (today.date::timestamp at time zone q.zone) at time zone 'UTC' as created_at
    from kernel.quota q
    left join kernel.tenant_profile t on t.tenant_id = q.tenant_id,
         lateral (select now() + make_interval(secs => coalesce(t.clock_offset_seconds, 0)) as at) present,
         lateral (select present.at, (present.at at time zone q.zone)::date as date) today;

-- What was denied to somebody; what was only observed was not.
create view reports.feature_denial_events with (security_invoker = true) as
  select d.id, d.tenant_id, d.feature, d.clicked_at is not null as clicked_upgrade, d.at at time zone 'UTC' as created_at
    from licensing.denial d where not d.was_observed;

grant select on reports.tenant_licenses, reports.feature_usage, reports.feature_denial_events to dotmac_reports;
