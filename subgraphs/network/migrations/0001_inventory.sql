create table network.site (
  tenant_id uuid not null,
  id uuid not null,
  name text not null check (length(name) between 1 and 80),
  kind text not null check (kind in ('POP', 'DATA_CENTRE', 'CABINET', 'TOWER', 'MANHOLE')),
  address jsonb,
  longitude double precision check (longitude between -180 and 180),
  latitude double precision check (latitude between -90 and 90),
  zone text not null,
  version int not null default 1,
  primary key (tenant_id, id),
  constraint site_name unique (tenant_id, name),
  check ((longitude is null) = (latitude is null))
);
call kernel.make_tenanted('network.site');

create table network.device (
  tenant_id uuid not null,
  id uuid not null,
  name text not null check (length(name) between 1 and 63),
  kind text not null check (kind in ('OLT', 'ONU', 'ROUTER', 'NAS', 'SWITCH', 'AP', 'CPE', 'SPLITTER')),
  vendor text not null check (length(vendor) between 1 and 80),
  model text not null check (length(model) between 1 and 80),
  serial text not null check (length(serial) between 1 and 80),
  mac macaddr,
  management_address inet check (masklen(management_address) = case family(management_address) when 4 then 32 else 128 end),
  lifecycle text not null check (lifecycle in ('PLANNED', 'IN_SERVICE', 'RETIRED')),
  site_id uuid,
  version int not null default 1,
  primary key (tenant_id, id),
  constraint device_name unique (tenant_id, name),
  constraint device_serial unique (tenant_id, vendor, serial),
  foreign key (tenant_id, site_id) references network.site (tenant_id, id)
);
create index device_site on network.device (tenant_id, site_id);
call kernel.make_tenanted('network.device');

revoke delete on network.site, network.device from svc_network;
