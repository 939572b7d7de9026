-- `feature_usage` tells of every day: the one that runs from the counters, those before it as they were closed.
create policy report_rows on kernel.quota_day as permissive for select to dotmac_reports using (tenant_id = (select kernel.tenant_id()));
grant select on kernel.quota_day to dotmac_reports;

-- What was in use when a day ended, or is today, by quota: of a gauge what exists, of a counter what was used since its
-- period began. One row per quota and day, under the same id while the day runs and once it is closed.
create or replace view reports.feature_usage with (security_invoker = true) as
  select md5(q.tenant_id || q.key || day.date)::uuid as id, q.tenant_id, q.key as feature_name, day.used as usage_count,
         day.date as usage_date, (day.date::timestamp at time zone q.zone) at time zone 'UTC' as created_at
    from kernel.quota q
    left join kernel.tenant_profile t on t.tenant_id = q.tenant_id
    cross join lateral (select now() + make_interval(secs => coalesce(t.clock_offset_seconds, 0)) as at) present
    cross join lateral (select (present.at at time zone q.zone)::date as date) today
    cross join lateral (
      select today.date, case when q.kind = 'COUNTER' and q.period_end <= present.at then 0 else q.used end as used
      union all
      select d.date, d.closing from kernel.quota_day d where d.tenant_id = q.tenant_id and d.key = q.key and d.date < today.date
    ) day;
