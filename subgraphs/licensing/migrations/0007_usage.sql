-- What the control plane sees of use, and where something of it is to be closed or told.
grant delete on kernel.metered_period to svc_licensing;
call kernel.make_platform_readable('kernel.metered_period');

create or replace view licensing.licensed_quota with (security_invoker = true) as
  select e.license_id, q.key, q.used, q.anchor_day, q.zone, q.period_start, q.period_end,
         q.topped_up, q.top_ups, q.license_version, e.tenant_id as licensed_tenant_id
    from kernel.quota q join kernel.entitlement e on e.tenant_id = q.tenant_id;

-- Tenants of which a period is over, a local day for five minutes, or a closed period is not told yet.
create view licensing.usage_due with (security_invoker = true) as
  select q.tenant_id as licensed_tenant_id
    from kernel.quota q join kernel.tenant_profile p on p.tenant_id = q.tenant_id
    cross join lateral (select now() + make_interval(secs => p.clock_offset_seconds) as at) n
   where q.period_end is null or q.period_end <= n.at or q.day_ends_at is null or q.day_ends_at <= n.at - interval '5 minutes'
   union
  select tenant_id from kernel.metered_period;
revoke insert, update, delete on licensing.usage_due from svc_licensing;
grant select on licensing.usage_due to dotmac_platform;
