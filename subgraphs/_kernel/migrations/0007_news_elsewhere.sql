-- Where Redis carries the news, transactions do not: commits that notify wait for each other, over the whole cluster.
-- `app.news` is set when a tenant is entered.
create function kernel.tell(news jsonb) returns void language plpgsql set search_path = pg_catalog as $$
begin
  if coalesce(current_setting('app.news', true), '') <> 'elsewhere' then perform pg_notify('dotmac', news::text); end if;
end $$;

grant create on schema kernel to dotmac_kernel;   -- only for the moment in which it writes its functions anew
set local role dotmac_kernel;

create or replace function kernel.append_to_log(home uuid, events jsonb) returns bigint
language plpgsql set search_path = pg_catalog as $$
declare base bigint; added int := jsonb_array_length(events);
begin
  insert into kernel.event_head (tenant_id, seq) values (home, added)
    on conflict (tenant_id) do update set seq = kernel.event_head.seq + added
    returning seq - added into base;
  insert into kernel.event (tenant_id, seq, id, name, at, committed_at, actor, acting_for, trace, payload, personal)
  select home, base + e.ord, (e.value ->> 'id')::uuid, e.value ->> 'name', kernel.now(), clock_timestamp(), kernel.actor(),
         nullif(current_setting('app.acting_for', true), ''), nullif(current_setting('app.trace', true), ''),
         e.value -> 'payload', nullif(e.value -> 'personal', 'null')
    from jsonb_array_elements(events) with ordinality e(value, ord);
  perform kernel.enqueue(r.task, jsonb_build_object('tenantId', home, 'seq', base + e.ord,
                                                    'trace', nullif(current_setting('app.trace', true), '')),
                         r.task || ':' || (e.value ->> 'id'))
    from jsonb_array_elements(events) with ordinality e(value, ord)
    join kernel.reaction r on r.event_name = e.value ->> 'name';
  perform kernel.tell(jsonb_build_object('tenant', home, 'seq', base + added));
  return base + added;
end $$;

create or replace function kernel.finish(work jsonb) returns bigint
language plpgsql security definer set search_path = pg_catalog as $$
declare
  home uuid := kernel.tenant_id();
  platform constant uuid := '01990000-0000-7000-8000-000000000001';
  last bigint; told record; place bigint;
begin
  if jsonb_array_length(work -> 'events') > 0 then last := kernel.append_to_log(home, work -> 'events'); end if;
  if jsonb_array_length(work -> 'platformEvents') > 0 then
    perform set_config('app.tenant_id', platform::text, true);
    perform kernel.append_to_log(platform, work -> 'platformEvents');
    perform set_config('app.tenant_id', home::text, true);
  end if;
  for told in select value ->> 'name' as name, value ->> 'subject' as subject from jsonb_array_elements(work -> 'feed') order by 1, 2 loop
    insert into kernel.feed_head (name, seq) values (told.name, 1)
      on conflict (name) do update set seq = kernel.feed_head.seq + 1 returning seq into place;
    insert into kernel.feed (name, seq, tenant_id, subject, committed_at) values (told.name, place, home, told.subject, clock_timestamp());
    perform kernel.tell(jsonb_build_object('feed', told.name, 'seq', place));
  end loop;
  return last;
end $$;

set local role dotmac_owner;
revoke create on schema kernel from dotmac_kernel;
