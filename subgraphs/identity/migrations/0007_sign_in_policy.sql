-- How people must sign in to a tenant; who has said nothing has no row, and the defaults.
create table identity.sign_in_policy (
  tenant_id uuid primary key,
  home_id uuid not null generated always as (tenant_id) stored,
  needs_second_factor text[] not null,
  methods text[] not null check (cardinality(methods) >= 1),
  idle_minutes int not null check (idle_minutes between 15 and 1440),
  max_hours int not null check (max_hours between 1 and 168),
  portal_idle_days int not null check (portal_idle_days between 1 and 365),
  portal_max_days int not null check (portal_max_days between 1 and 365),
  addresses text[] not null check (cardinality(addresses) <= 20),
  support_access text not null check (support_access in ('ASK', 'ALWAYS', 'NEVER')),
  version int not null
);
call kernel.make_tenanted('identity.sign_in_policy');
call kernel.make_platform_readable('identity.sign_in_policy');   -- a sign-in looks before it enters
