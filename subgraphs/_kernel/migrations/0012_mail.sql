-- Mails on their way out, sealed: their links hold tokens, which lie readable neither here nor in a job. Services hand
-- them over and read none; the jobs alone do, and delete what is sent.
create table kernel.mail (
  id uuid primary key,
  sealed text not null,
  written_at timestamptz not null default now()
);
grant select, insert, delete on kernel.mail to dotmac_jobs;

-- Keeps mails until they are sent and enqueues a job for each, when the transaction commits and not otherwise. Twelve
-- attempts spread over a day and a half.
create function kernel.send_mails(mails jsonb) returns void
language sql security definer set search_path = pg_catalog as $$
  insert into kernel.mail (id, sealed)
  select (value ->> 'id')::uuid, value ->> 'sealed' from jsonb_array_elements(mails);
  select graphile_worker.add_job('kernel.sendMail', json_build_object('mailId', value ->> 'id'),
                                 job_key => 'kernel.sendMail:' || (value ->> 'id'), max_attempts => 12)
    from jsonb_array_elements(mails);
$$;
revoke all on function kernel.send_mails from public;
grant execute on function kernel.send_mails to dotmac_tenant_rw;
grant create on schema kernel to dotmac_jobs;   -- only for the moment in which it gets its function
alter function kernel.send_mails owner to dotmac_jobs;
revoke create on schema kernel from dotmac_jobs;
