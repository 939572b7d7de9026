-- What licensing tells the kernel, in the transaction of each change.
grant insert, update on kernel.entitlement to svc_licensing;
call kernel.make_platform_readable('kernel.quota');

-- Which tenant holds which licence, for the doors of the control plane: they see all tenants, whoever else asks sees
-- his own.
create view licensing.licensed_tenant with (security_invoker = true) as
  select e.tenant_id as licensed_tenant_id, e.license_id, e.version, e.plan, e.course, e.limits,
         now() + make_interval(secs => p.clock_offset_seconds) as tenant_now
    from kernel.entitlement e join kernel.tenant_profile p on p.tenant_id = e.tenant_id;
create view licensing.licensed_quota with (security_invoker = true) as
  select e.license_id, q.key, q.used, q.anchor_day, q.zone, q.period_start, q.period_end
    from kernel.quota q join kernel.entitlement e on e.tenant_id = q.tenant_id;
revoke insert, update, delete on licensing.licensed_tenant, licensing.licensed_quota from svc_licensing;
grant select on licensing.licensed_tenant, licensing.licensed_quota to dotmac_platform;

-- How far each gateway has heard of licence changes.
create table licensing.gateway_node (
  node_id text primary key check (length(node_id) between 1 and 100),
  held_seq bigint not null,
  confirmed_at timestamptz not null
);
revoke delete on licensing.gateway_node from svc_licensing;
grant select on licensing.gateway_node to dotmac_platform;
