-- What a tenant has set, carried to its home beside the other copies. The columns came later than those.
create function kernel.take_settings(wanted uuid, profile jsonb) returns void language plpgsql set search_path = pg_catalog as $$
begin
  perform set_config('app.tenant_id', wanted::text, true);
  update kernel.tenant_profile p set settings = coalesce(profile -> 'settings', '{}'), locale = profile ->> 'locale', region = profile ->> 'region'
   where (p.settings, p.locale, p.region) is distinct from
         (coalesce(profile -> 'settings', '{}'), profile ->> 'locale', profile ->> 'region');
end $$;
