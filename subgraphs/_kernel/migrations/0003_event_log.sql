-- What happened, per tenant, in commit order and without gaps: a cursor that has read seq n never misses one below it.

create table kernel.event (
  tenant_id uuid not null,
  seq bigint not null,
  id uuid not null,
  name text not null,
  at timestamptz not null,
  committed_at timestamptz not null,
  actor text,
  acting_for text,
  trace text,
  payload jsonb not null,
  personal jsonb,
  primary key (tenant_id, seq),
  unique (tenant_id, id)
);
create index event_by_name on kernel.event (tenant_id, name, seq);
create table kernel.event_head (tenant_id uuid primary key, seq bigint not null);
call kernel.make_tenanted('kernel.event', false);
call kernel.make_tenanted('kernel.event_head', false);
grant select on kernel.event, kernel.event_head to dotmac_tenant_rw;
grant insert on kernel.event to dotmac_kernel;
grant insert, update on kernel.event_head to dotmac_kernel;

-- What gateways must hear of, over all tenants, one numbered feed per kind ('licenses', 'grants', 'tenants'). Rows say
-- only that something changed; the content is asked for at its owner.
create table kernel.feed (
  name text not null,
  seq bigint not null,
  tenant_id uuid,
  subject text not null,
  committed_at timestamptz not null,
  primary key (name, seq)
);
create table kernel.feed_head (name text primary key, seq bigint not null);
grant select on kernel.feed, kernel.feed_head to dotmac_tenant_rw, dotmac_platform;
grant select, insert, update on kernel.feed, kernel.feed_head to dotmac_kernel;
grant usage on schema kernel to dotmac_platform;

-- Which job hears which event; written when the subgraphs are migrated, from their `subscribers.ts`.
create table kernel.reaction (event_name text not null, task text not null, primary key (event_name, task));
grant select on kernel.reaction to dotmac_kernel;

-- A job that has heard an event does not hear it again.
create table kernel.reaction_receipt (
  tenant_id uuid not null,
  task text not null,
  event_id uuid not null,
  at timestamptz not null default now(),
  primary key (tenant_id, task, event_id)
);
call kernel.make_tenanted('kernel.reaction_receipt', false);
grant select, insert on kernel.reaction_receipt to dotmac_tenant_rw;

create function kernel.enqueue(task text, payload jsonb, job_key text) returns void
language sql security definer set search_path = pg_catalog
as $$ select graphile_worker.add_job(task, payload::json, job_key => job_key, max_attempts => 25) $$;
revoke all on function kernel.enqueue from public;
grant execute on function kernel.enqueue to dotmac_kernel;

create function kernel.append_to_log(home uuid, events jsonb) returns bigint
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
  perform kernel.enqueue(r.task, jsonb_build_object('tenantId', home, 'seq', base + e.ord),
                         r.task || ':' || (e.value ->> 'id'))
    from jsonb_array_elements(events) with ordinality e(value, ord)
    join kernel.reaction r on r.event_name = e.value ->> 'name';
  perform pg_notify('dotmac', jsonb_build_object('tenant', home, 'seq', base + added)::text);
  return base + added;
end $$;

-- The last statement of a writing transaction: numbers its events and feed rows, enqueues the reactions and wakes the
-- listeners. Locks are taken in one order (own log, the platform's log, feeds by name), so finishing never deadlocks.
create function kernel.finish(work jsonb) returns bigint
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
    perform pg_notify('dotmac', jsonb_build_object('feed', told.name, 'seq', place)::text);
  end loop;
  return last;
end $$;
revoke all on function kernel.append_to_log from public;
grant create on schema kernel to dotmac_kernel, dotmac_jobs;
alter function kernel.append_to_log owner to dotmac_kernel;
alter function kernel.finish owner to dotmac_kernel;
alter function kernel.enqueue owner to dotmac_jobs;
revoke create on schema kernel from dotmac_kernel, dotmac_jobs;
