-- A job that hears what only the platform's log may say is enqueued for no other; an urgent one goes before all that wait.
alter table kernel.reaction
  add column is_platform_only boolean not null default false,
  add column is_urgent boolean not null default false;

create function kernel.enqueue(task text, payload jsonb, job_key text, is_urgent boolean) returns void
language sql security definer set search_path = pg_catalog
as $$ select graphile_worker.add_job(task, payload::json, job_key => job_key, max_attempts => 25,
                                     priority => case when is_urgent then -1 else 0 end) $$;
revoke all on function kernel.enqueue(text, jsonb, text, boolean) from public;
grant execute on function kernel.enqueue(text, jsonb, text, boolean) to dotmac_kernel;
grant create on schema kernel to dotmac_kernel, dotmac_jobs;   -- only for the moment in which they get their functions
alter function kernel.enqueue(text, jsonb, text, boolean) owner to dotmac_jobs;

-- The timers of a transaction, [{task, tenantId, at}], in one statement however many they are: each call wakes all workers.
create function kernel.set_timers(timers jsonb) returns void language sql security definer set search_path = pg_catalog
as $$ select count(*) from graphile_worker.add_jobs(array(
        select distinct on (t.task, t."tenantId")
               row(t.task, json_build_object('tenantId', t."tenantId"), null, t.at, 25, t.task || ':' || t."tenantId", null, null)::graphile_worker.job_spec
          from rows from (jsonb_to_recordset(timers) as (task text, "tenantId" uuid, at timestamptz)) with ordinality t (task, "tenantId", at, place)
         order by t.task, t."tenantId", t.place desc)) $$;
revoke all on function kernel.set_timers from public;
grant execute on function kernel.set_timers to dotmac_kernel;
alter function kernel.set_timers owner to dotmac_jobs;
set local role dotmac_kernel;

create or replace function kernel.append_to_log(home uuid, events jsonb) returns bigint
language plpgsql set search_path = pg_catalog as $$
declare
  platform constant uuid := '01990000-0000-7000-8000-000000000001';
  base bigint; added int := jsonb_array_length(events);
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
                         r.task || ':' || (e.value ->> 'id'), r.is_urgent)
    from jsonb_array_elements(events) with ordinality e(value, ord)
    join kernel.reaction r on r.event_name = e.value ->> 'name' and (home = platform or not r.is_platform_only);
  perform kernel.tell(jsonb_build_object('tenant', home, 'seq', base + added));
  return base + added;
end $$;

-- The timers are the transaction's tenant's unless they name another's; all are on its clock.
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
  for told in
    select value ->> 'name' as name, count(*) as added, array_agg(value ->> 'subject' order by value ->> 'subject') as subjects
      from jsonb_array_elements(work -> 'feed') group by 1 order by 1
  loop
    insert into kernel.feed_head (name, seq) values (told.name, told.added)
      on conflict (name) do update set seq = kernel.feed_head.seq + told.added returning seq into place;
    insert into kernel.feed (name, seq, tenant_id, subject, committed_at)
    select told.name, place - told.added + s.ord, home, s.subject, clock_timestamp()
      from unnest(told.subjects) with ordinality s (subject, ord);
    perform kernel.tell(jsonb_build_object('feed', told.name, 'seq', place));
  end loop;
  if jsonb_array_length(work -> 'timers') > 0 then
    perform kernel.set_timers(jsonb_agg(jsonb_build_object('task', value ->> 'task', 'tenantId', coalesce(value ->> 'tenantId', home::text),
        'at', (value ->> 'at')::timestamptz - (kernel.now() - now())) order by ord))
      from jsonb_array_elements(work -> 'timers') with ordinality t (value, ord);
  end if;
  return last;
end $$;

-- What an update has changed is found by laying both rows beside each other: of one table, they have their keys in one order.
create or replace function kernel.audit_row() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare
  was jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  became jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
  row_name text := coalesce(became ->> 'id', was ->> 'id', became ->> 'key', was ->> 'key');
  masked text;
begin
  if tg_op = 'UPDATE' then
    select jsonb_object_agg(r.key, r.was), jsonb_object_agg(r.key, r.became) into was, became
      from rows from (jsonb_each(was), jsonb_each(became)) as r (key, was, same_key, became)
     where r.was is distinct from r.became;
    if was is null then return null; end if;
  end if;
  foreach masked in array coalesce(tg_argv, array[]::text[]) loop
    if was ? masked then was := jsonb_set(was, array[masked], '"***"'); end if;
    if became ? masked then became := jsonb_set(became, array[masked], '"***"'); end if;
  end loop;
  insert into kernel.audit_entry (tenant_id, actor, acting_for, request_id, table_name, row_id, action, before, after)
  values (kernel.tenant_id(), kernel.actor(), nullif(current_setting('app.acting_for', true), ''),
          nullif(current_setting('app.request_id', true), ''), tg_table_schema || '.' || tg_table_name, row_name, tg_op, was, became);
  return null;
end $$;

-- The end of a chain is locked, hashed and moved on by one statement; only a tenant's first entry has to make it.
create or replace function kernel.link_audit() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare link kernel.audit_head;
begin
  update kernel.audit_head h set seq = h.seq + 1, hash = kernel.audit_hash(h.hash, new) where h.tenant_id = new.tenant_id
    returning * into link;
  if not found then
    insert into kernel.audit_head as h (tenant_id, seq, hash) values (new.tenant_id, 1, kernel.audit_hash('\x', new))
      on conflict (tenant_id) do update set seq = h.seq + 1, hash = kernel.audit_hash(h.hash, new)
      returning * into link;
  end if;
  insert into kernel.audit_link (tenant_id, seq, entry_id, hash) values (new.tenant_id, link.seq, new.id, link.hash);
  return null;
end $$;

set local role dotmac_owner;
drop function kernel.enqueue(text, jsonb, text);
drop function kernel.set_timer;
revoke create on schema kernel from dotmac_kernel, dotmac_jobs;
