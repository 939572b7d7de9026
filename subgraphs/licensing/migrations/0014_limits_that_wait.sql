-- What a counter goes by in the period that runs, which may be more than its licence says by now.
create or replace view licensing.licensed_quota with (security_invoker = true) as
  select e.license_id, q.key, q.used, q.anchor_day, q.zone, q.period_start, q.period_end,
         q.topped_up, q.top_ups, q.license_version, e.tenant_id as licensed_tenant_id,
         q."limit", q.policy, q.soft_margin_percent, q.overage_cap, q.next, trim_scale(q.unit_rate)::text as unit_rate
    from kernel.quota q join kernel.entitlement e on e.tenant_id = q.tenant_id;
