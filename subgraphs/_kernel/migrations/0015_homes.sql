-- A tenant's home is the database in which its domains' rows live: that of the control plane, unless it has one of its
-- own. Every home has the same schemas, roles and policies.

-- Where each tenant lives, at the control plane. Tenancy writes it with the placement it is a copy of.
create table kernel.placement (
  tenant_id uuid primary key,
  version int not null default 1,
  home text not null default ''                  -- the name of a home; '' is the database of the control plane
);
call kernel.make_tenanted('kernel.placement', false);
call kernel.make_platform_readable('kernel.placement');
grant select on kernel.placement to dotmac_tenant_rw;

-- The same, asked by who knows no tenant yet.
create function kernel.placement_of(wanted uuid) returns table (version int, home text)
language plpgsql set search_path = pg_catalog as $$
begin
  perform set_config('app.tenant_id', wanted::text, true);
  return query select p.version, p.home from kernel.placement p;
end $$;

-- The name of this database among the homes; without a row it is that of the control plane.
create table kernel.home (is_only boolean primary key default true check (is_only), name text not null);
grant select on kernel.home to dotmac_tenant_rw;

-- What a tenant is in this database. Without a row it lives at the control plane's, and in no other.
create table kernel.residence (
  tenant_id uuid primary key,
  -- HERE; FOLLOWED: it lives here and what is written is noted for the home it moves to; PAUSED: it is not written until
  -- `until`, or for good when that is null; ARRIVING: it is being copied here; MOVED: it lived here.
  state text not null check (state in ('HERE', 'FOLLOWED', 'PAUSED', 'ARRIVING', 'MOVED')),
  until timestamptz,
  log_from bigint not null default 0,            -- places of its log before this one were given in another home
  since timestamptz not null default now()
);
call kernel.make_tenanted('kernel.residence', false);
call kernel.make_platform_readable('kernel.residence');
grant select on kernel.residence to dotmac_tenant_rw;

-- Rows a tenant changed while it is followed, by their keys: what they are now is read when they are copied.
create table kernel.changed_row (
  tenant_id uuid not null,
  seq bigint not null generated always as identity,
  table_name text not null,
  key jsonb not null,
  primary key (tenant_id, seq)
);
call kernel.make_tenanted('kernel.changed_row', false);
grant select on kernel.changed_row to dotmac_tenant_rw;
grant insert on kernel.changed_row to dotmac_kernel;

-- Whoever writes in a tenant holds this lock with others until the end; who moves the tenant takes it alone, and so waits
-- for every writer that entered before.
create function kernel.hold_residence(wanted uuid) returns void language sql set search_path = pg_catalog
  as $$ select pg_advisory_xact_lock_shared(7190015, hashtext(wanted::text)) $$;

-- What the present tenant is in this database for who works at homes. Refuses with TN002 who should be elsewhere, and
-- with TN003 a write while there are to be none.
create function kernel.resident(is_writing boolean, out state text, out log_from bigint)
language plpgsql set search_path = pg_catalog as $$
declare until timestamptz;
begin
  if is_writing then perform kernel.hold_residence(kernel.tenant_id()); end if;
  select r.state, r.log_from, r.until into state, log_from, until from kernel.residence r where r.tenant_id = kernel.tenant_id();
  if not found then
    if exists (select from kernel.home) then state := 'MOVED'; else state := 'HERE'; log_from := 0; end if;
  end if;
  if state in ('MOVED', 'ARRIVING') then raise exception 'the tenant lives elsewhere' using errcode = 'TN002'; end if;
  if state = 'PAUSED' and until <= clock_timestamp() then state := 'FOLLOWED'; end if;
  if state = 'PAUSED' and is_writing then raise exception 'the tenant is moving' using errcode = 'TN003'; end if;
end $$;

-- Enters a tenant for the rest of the transaction: sets what policies, triggers and defaults read, and brings back the
-- transaction's time. Whoever works at homes is refused where the tenant does not live. One round trip.
drop function kernel.enter(jsonb);
create function kernel.enter(settings jsonb, out at timestamptz, out offset_seconds bigint, out log_from bigint)
language plpgsql set search_path = pg_catalog as $$
declare setting record; resident record;
begin
  if nullif(settings ->> 'app.tenant_id', '') is null then
    raise exception 'tenant context missing' using errcode = 'TN001';
  end if;
  for setting in select key, value from jsonb_each_text(settings) loop
    perform set_config(setting.key, coalesce(setting.value, ''), true);
  end loop;
  if pg_has_role(current_user, 'dotmac_at_home', 'member') then
    select * into resident from kernel.resident(current_setting('transaction_read_only') = 'off');
    log_from := resident.log_from;
    perform set_config('app.residence', resident.state, true);
  else
    log_from := 0;
    perform set_config('app.residence', 'HERE', true);
  end if;
  select p.clock_offset_seconds into offset_seconds from kernel.tenant_profile p where p.tenant_id = kernel.tenant_id();
  offset_seconds := coalesce(offset_seconds, 0);
  perform set_config('app.clock_offset', offset_seconds::text, true);
  at := now() + make_interval(secs => offset_seconds);
end $$;

-- Notes a changed row of a tenant that is followed; refuses one that lives elsewhere, however it was entered.
create function kernel.follow_row() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare changed jsonb; resident record;
begin
  if nullif(current_setting('app.tenant_id', true), '') is null then return null; end if;  -- nobody the wall lets pass
  if not pg_has_role(session_user, 'dotmac_at_home', 'member') then return null; end if;
  select * into resident from kernel.resident(true);
  if resident.state <> 'FOLLOWED' then return null; end if;
  changed := case when tg_op = 'DELETE' then to_jsonb(old) else to_jsonb(new) end;
  insert into kernel.changed_row (table_name, key)
  select tg_table_schema || '.' || tg_table_name, jsonb_agg(changed -> c.name order by c.place)
    from unnest(tg_argv) with ordinality c (name, place);
  return null;
end $$;
grant create on schema kernel to dotmac_kernel;   -- only for the moment in which it becomes their owner
alter function kernel.follow_row() owner to dotmac_kernel;
revoke create on schema kernel from dotmac_kernel;

-- Makes every tenant table of the given schemas one that moves with its tenant, and these of the kernel's. Run after each
-- migration, so that no table is forgotten.
create procedure kernel.make_movable(schemas text[]) language plpgsql as $$
declare target record;
begin
  for target in
    select c.oid::regclass as name,
           (select string_agg(quote_literal(a.attname), ', ' order by k.place)
              from pg_index i cross join unnest(i.indkey) with ordinality k (attnum, place)
              join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
             where i.indrelid = c.oid and i.indisprimary) as keys,
           exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'platform_reads') as is_read_across
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'tenant_wall')
       and (n.nspname = any (schemas) or n.nspname = 'kernel' and c.relname in
             ('number_series', 'idempotency_key', 'reaction_receipt', 'quota', 'quota_receipt'))
       and not exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'follow')
  loop
    if target.keys is null then raise exception '% has no primary key and could not move', target.name; end if;
    execute format('create trigger follow after insert or update or delete on %s for each row
      when (coalesce(current_setting(''app.residence'', true), '''') <> ''HERE'') execute function kernel.follow_row(%s)',
      target.name, target.keys);
    if target.is_read_across and target.name::text <> 'kernel.quota' then
      execute format('create policy lives_here on %s as restrictive for select to dotmac_platform
        using (tenant_id not in (select r.tenant_id from kernel.residence r where r.state in (''ARRIVING'', ''MOVED'')))', target.name);
    end if;
  end loop;
end $$;

-- The place of the newest event in the present tenant's log, which grows no more until this transaction ends.
create function kernel.hold_log() returns bigint language sql security definer set search_path = pg_catalog
  as $$ select h.seq from kernel.event_head h where h.tenant_id = kernel.tenant_id() for update $$;
revoke all on function kernel.hold_log from public;
grant execute on function kernel.hold_log to dotmac_tenant_rw;
grant create on schema kernel to dotmac_kernel;
alter function kernel.hold_log owner to dotmac_kernel;
revoke create on schema kernel from dotmac_kernel;
