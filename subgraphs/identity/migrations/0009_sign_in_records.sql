-- What program a device said it is.
alter table identity.session add column agent text check (length(agent) <= 200);
alter table identity.sign_in_record add column agent text check (length(agent) <= 200);

-- People read their own attempts, tenants those for them; sessions that are over by time are found by it.
create index sign_in_of_user on identity.sign_in_record (user_id, id);
create index sign_in_of_home on identity.sign_in_record (home_id, id);
create index sign_in_by_time on identity.sign_in_record (at);
create index session_by_rest on identity.session (idle_until) where end_reason is null;

-- What happened stays as it was written, but not for ever: 400 days, and where from only roughly after 90.
create function identity.prune_sign_in_records() returns void
language sql security definer set search_path = pg_catalog as $$
  delete from identity.sign_in_record where at < now() - interval '400 days';
  update identity.sign_in_record
     set address = case when pg_input_is_valid(address, 'inet')
       then network(set_masklen(address::inet, case family(address::inet) when 4 then 24 else 48 end))::text end
   where at < now() - interval '90 days' and address not like '%/%';
$$;
revoke all on function identity.prune_sign_in_records from public;
grant execute on function identity.prune_sign_in_records to svc_identity;
grant select, update, delete on identity.sign_in_record to dotmac_kernel;
grant create on schema identity to dotmac_kernel;   -- only for the moment in which it gets its function
alter function identity.prune_sign_in_records owner to dotmac_kernel;
revoke create on schema identity from dotmac_kernel;

-- Gateways read the feed of grants each second; whoever was away for longer begins anew.
create function identity.prune_grant_feed() returns void
language sql security definer set search_path = pg_catalog as $$
  delete from kernel.feed where name = 'grants' and committed_at < now() - interval '1 hour';
$$;
revoke all on function identity.prune_grant_feed from public;
grant execute on function identity.prune_grant_feed to svc_identity;
grant delete on kernel.feed to dotmac_kernel;
grant create on schema identity to dotmac_kernel;
alter function identity.prune_grant_feed owner to dotmac_kernel;
revoke create on schema identity from dotmac_kernel;
