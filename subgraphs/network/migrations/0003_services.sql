create table network.service (
  tenant_id uuid not null,
  id uuid not null,
  number text not null,
  customer_id uuid not null,
  plan_id uuid not null,
  lifecycle text not null check (lifecycle in ('REQUESTED', 'IN_SERVICE', 'CANCELLED')),
  premises_address jsonb not null,
  longitude double precision check (longitude between -180 and 180),
  latitude double precision check (latitude between -90 and 90),
  activated_at timestamptz,
  version int not null default 1,
  primary key (tenant_id, id),
  constraint service_number unique (tenant_id, number),
  foreign key (tenant_id, plan_id) references network.service_plan (tenant_id, id),
  check ((longitude is null) = (latitude is null)),
  check (lifecycle <> 'IN_SERVICE' or activated_at is not null)
);
create index service_customer on network.service (tenant_id, customer_id, id);
create index service_by_plan on network.service (tenant_id, plan_id);
call kernel.make_tenanted('network.service');
call kernel.make_customer_scoped('network.service', 'customer_id');
revoke delete on network.service from svc_network;
