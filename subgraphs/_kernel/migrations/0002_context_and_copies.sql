-- What the kernel must know of a tenant to serve any domain; tenancy and licensing write these rows in their own
-- transactions, and no domain asks another for them.

create table kernel.tenant_profile (
  tenant_id uuid primary key,
  slug text not null unique,
  kind text not null,
  state text not null,
  zone text not null,
  currency text not null,
  country text not null,
  clock_offset_seconds bigint not null default 0 check (clock_offset_seconds >= 0 and (clock_offset_seconds = 0 or kind = 'SANDBOX'))
);
call kernel.make_tenanted('kernel.tenant_profile', false);
call kernel.make_platform_readable('kernel.tenant_profile');
grant select on kernel.tenant_profile to dotmac_tenant_rw;

-- The entitlements of a tenant as a course over time: [{from, state, features: {key: {access, reason?}}}], ascending,
-- computed by licensing from the facts of the licence. Whoever holds the row knows the answer at any later instant.
create table kernel.entitlement (
  tenant_id uuid primary key,
  license_id uuid not null,
  version int not null,
  plan text not null,
  course jsonb not null,
  limits jsonb not null
);
call kernel.make_tenanted('kernel.entitlement', false);
call kernel.make_platform_readable('kernel.entitlement');
grant select on kernel.entitlement to dotmac_tenant_rw;

-- Enters a tenant for the rest of the transaction: sets what policies, triggers and defaults read, and brings back the
-- transaction's time. One round trip.
create function kernel.enter(settings jsonb, out at timestamptz, out offset_seconds bigint)
language plpgsql set search_path = pg_catalog as $$
declare setting record;
begin
  if nullif(settings ->> 'app.tenant_id', '') is null then
    raise exception 'tenant context missing' using errcode = 'TN001';
  end if;
  for setting in select key, value from jsonb_each_text(settings) loop
    perform set_config(setting.key, coalesce(setting.value, ''), true);
  end loop;
  select p.clock_offset_seconds into offset_seconds from kernel.tenant_profile p where p.tenant_id = kernel.tenant_id();
  offset_seconds := coalesce(offset_seconds, 0);
  perform set_config('app.clock_offset', offset_seconds::text, true);
  at := now() + make_interval(secs => offset_seconds);
end $$;

-- The only clock of SQL: the transaction's time, moved by the offset of a sandbox.
create function kernel.now() returns timestamptz language sql stable parallel safe set search_path = pg_catalog
  as $$ select now() + make_interval(secs => coalesce(nullif(current_setting('app.clock_offset', true), '')::double precision, 0)) $$;
