-- The databases in which tenants' rows live. A name says how it is reached: the environment holds the address and the
-- secrets. The one without a name is the database of the control plane, which all tenants share that have none of their own.
create table tenancy.data_home (
  id uuid primary key default uuidv7(),
  name text not null unique check (name = '' or name ~ '^[a-z][a-z0-9_]{0,39}$'),
  region text not null,
  kind text not null check (kind in ('SHARED', 'DEDICATED')),
  capacity int not null check (capacity > 0),
  tenants int not null default 0 check (tenants >= 0),
  status text not null check (status in ('OPEN', 'FULL', 'DRAINING', 'DOWN')),
  created_at timestamptz not null default kernel.now()
);
insert into tenancy.data_home (id, name, region, kind, capacity, status)
values ('01990000-0000-7000-8000-00000000d000', '', 'any', 'SHARED', 100000, 'OPEN');

create table tenancy.placement (
  tenant_id uuid not null,
  id uuid not null check (id = tenant_id),
  version int not null default 1,
  isolation text not null check (isolation in ('SHARED', 'DEDICATED')),
  data_home_id uuid not null references tenancy.data_home (id),
  region text not null,
  hosting text not null default 'PLATFORM' check (hosting in ('PLATFORM', 'CUSTOMER')),
  channel text not null default 'STABLE' check (channel in ('STABLE', 'NEXT')),
  primary key (tenant_id, id)
);
insert into tenancy.placement (tenant_id, id, isolation, data_home_id, region)
select tenant_id, id, 'SHARED', '01990000-0000-7000-8000-00000000d000',
       case when country in ('AT', 'BE', 'BG', 'CY', 'CZ', 'DE', 'DK', 'EE', 'ES', 'FI', 'FR', 'GR', 'HR', 'HU', 'IE', 'IS', 'IT', 'LI',
         'LT', 'LU', 'LV', 'MT', 'NL', 'NO', 'PL', 'PT', 'RO', 'SE', 'SI', 'SK') then 'eu' else
       case split_part(zone, '/', 1) when 'Europe' then 'eu' when 'Africa' then 'africa'
         when 'Asia' then 'apac' when 'Australia' then 'apac' when 'Pacific' then 'apac' else 'us' end end
  from tenancy.tenant;
update tenancy.data_home set tenants = (select count(*) from tenancy.placement);
insert into kernel.placement (tenant_id) select tenant_id from tenancy.placement;
call kernel.make_tenanted('tenancy.placement');
call kernel.make_platform_readable('tenancy.placement');
grant insert, update on kernel.placement to svc_tenancy;
grant insert, update on kernel.residence to svc_tenancy;

create table tenancy.move_run (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  state text not null check (state in ('RUNNING', 'DONE', 'UNDONE')),
  step text not null,
  isolation text not null check (isolation in ('SHARED', 'DEDICATED')),
  region text not null,
  from_home text not null,
  to_home text not null,
  rows_copied int not null default 0,
  paused_ms int,
  error text,
  carrier uuid,                                 -- who carries it: whoever took it over last
  lease_until timestamptz,                      -- and says until when it is theirs
  started_at timestamptz not null default kernel.now(),
  ended_at timestamptz,
  fenced_until timestamptz,                     -- the former home keeps the rows until then
  primary key (tenant_id, id)
);
create unique index move_run_open on tenancy.move_run (tenant_id) where state = 'RUNNING';
call kernel.make_tenanted('tenancy.move_run');
call kernel.make_platform_readable('tenancy.move_run');

-- Moves over all tenants, for who carries them on and clears up behind them.
create view tenancy.open_move with (security_invoker = true) as
  select id, tenant_id as run_tenant_id, lease_until from tenancy.move_run where state = 'RUNNING';
create view tenancy.fenced_move with (security_invoker = true) as
  select id, tenant_id as run_tenant_id, from_home, fenced_until from tenancy.move_run where state = 'DONE' and fenced_until is not null;
grant select on tenancy.open_move, tenancy.fenced_move to dotmac_platform;
