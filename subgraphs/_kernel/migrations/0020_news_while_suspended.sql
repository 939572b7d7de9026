-- A job that hears what is told while its tenant is suspended is enqueued for no other tenant. Whether one is is asked once
-- the log is locked: a suspension tells its own there, so that either sees the other.
alter table kernel.reaction add column is_while_suspended boolean not null default false;
grant select on kernel.tenant_profile to dotmac_kernel;
grant create on schema kernel to dotmac_kernel;   -- only for the moment in which its function is replaced
set local role dotmac_kernel;

create or replace function kernel.append_to_log(home uuid, events jsonb) returns bigint
language plpgsql set search_path = pg_catalog as $$
declare
  platform constant uuid := '01990000-0000-7000-8000-000000000001';
  base bigint; added int := jsonb_array_length(events); is_suspended boolean;
begin
  insert into kernel.event_head (tenant_id, seq) values (home, added)
    on conflict (tenant_id) do update set seq = kernel.event_head.seq + added
    returning seq - added into base;
  is_suspended := exists (select from kernel.tenant_profile p where p.tenant_id = home and p.state = 'SUSPENDED');
  insert into kernel.event (tenant_id, seq, id, name, at, committed_at, actor, acting_for, trace, payload, personal)
  select home, base + e.ord, (e.value ->> 'id')::uuid, e.value ->> 'name', kernel.now(), clock_timestamp(), kernel.actor(),
         nullif(current_setting('app.acting_for', true), ''), nullif(current_setting('app.trace', true), ''),
         e.value -> 'payload', nullif(e.value -> 'personal', 'null')
    from jsonb_array_elements(events) with ordinality e(value, ord);
  perform kernel.enqueue(r.task, jsonb_build_object('tenantId', home, 'seq', base + e.ord,
                                                    'trace', nullif(current_setting('app.trace', true), '')),
                         r.task || ':' || (e.value ->> 'id'), r.is_urgent)
    from jsonb_array_elements(events) with ordinality e(value, ord)
    join kernel.reaction r on r.event_name = e.value ->> 'name' and (home = platform or not r.is_platform_only)
     and (not r.is_while_suspended or is_suspended);
  perform kernel.tell(jsonb_build_object('tenant', home, 'seq', base + added));
  return base + added;
end $$;

set local role dotmac_owner;
revoke create on schema kernel from dotmac_kernel;
