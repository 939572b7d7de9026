-- A job of a tenant's at an instant of its own clock, once: setting it again moves it. It is set when the transaction
-- commits, and not otherwise.
create function kernel.set_timer(task text, home uuid, at timestamptz) returns void
language sql security definer set search_path = pg_catalog
as $$ select graphile_worker.add_job(task, json_build_object('tenantId', home), job_key => task || ':' || home,
                                     max_attempts => 25, run_at => at) $$;
revoke all on function kernel.set_timer from public;
grant execute on function kernel.set_timer to dotmac_kernel;
grant create on schema kernel to dotmac_kernel, dotmac_jobs;   -- only for the moment in which they get their functions
alter function kernel.set_timer owner to dotmac_jobs;
set local role dotmac_kernel;

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
  perform kernel.set_timer(value ->> 'task', home, (value ->> 'at')::timestamptz - (kernel.now() - now())) from jsonb_array_elements(work -> 'timers');
  return last;
end $$;

set local role dotmac_owner;
revoke create on schema kernel from dotmac_kernel, dotmac_jobs;
