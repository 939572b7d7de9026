-- The wall between tenants: who asks is set once per transaction, and every tenant table compares with it.

grant usage on schema kernel to public;

create function kernel.tenant_id() returns uuid language plpgsql stable parallel safe set search_path = pg_catalog as $$
declare held text := nullif(current_setting('app.tenant_id', true), '');  -- '' after a finished transaction
begin
  if held is null then raise exception 'tenant context missing' using errcode = 'TN001'; end if;
  return held::uuid;
end $$;

create function kernel.customer_id() returns uuid language sql stable parallel safe set search_path = pg_catalog
  as $$ select nullif(current_setting('app.customer_id', true), '')::uuid $$;

create function kernel.actor() returns text language sql stable parallel safe set search_path = pg_catalog
  as $$ select nullif(current_setting('app.actor', true), '') $$;

-- Writes who did what to a row into the audit log; columns named in the trigger's arguments are masked.
create table kernel.audit_entry (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  at timestamptz not null default clock_timestamp(),
  actor text,
  acting_for text,
  request_id text,
  table_name text not null,
  row_id text,
  action text not null check (action in ('INSERT', 'UPDATE', 'DELETE')),
  before jsonb,
  after jsonb,
  primary key (tenant_id, id)
);
-- The chain over a tenant's entries. Linked at commit, when every other lock is held already, so that writers of one
-- tenant wait for each other only for that instant and never in a circle.
create table kernel.audit_link (
  tenant_id uuid not null,
  seq bigint not null,
  entry_id uuid not null,
  hash bytea not null,
  primary key (tenant_id, seq),
  unique (tenant_id, entry_id)
);
create table kernel.audit_head (
  tenant_id uuid primary key,
  seq bigint not null,
  hash bytea not null
);

create function kernel.audit_row() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare
  old_row jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  new_row jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
  masked text;
  was jsonb; became jsonb;
begin
  was := old_row; became := new_row;
  if tg_op = 'UPDATE' then
    select coalesce(jsonb_object_agg(o.key, o.value), '{}') into was
      from jsonb_each(old_row) o where new_row -> o.key is distinct from o.value;
    select coalesce(jsonb_object_agg(n.key, n.value), '{}') into became
      from jsonb_each(new_row) n where old_row -> n.key is distinct from n.value;
    if was = '{}' and became = '{}' then return null; end if;
  end if;
  foreach masked in array coalesce(tg_argv, array[]::text[]) loop
    if was ? masked then was := jsonb_set(was, array[masked], '"***"'); end if;
    if became ? masked then became := jsonb_set(became, array[masked], '"***"'); end if;
  end loop;
  insert into kernel.audit_entry (tenant_id, actor, acting_for, request_id, table_name, row_id, action, before, after)
  values (kernel.tenant_id(), kernel.actor(), nullif(current_setting('app.acting_for', true), ''),
          nullif(current_setting('app.request_id', true), ''), tg_table_schema || '.' || tg_table_name,
          coalesce(new_row ->> 'id', old_row ->> 'id', new_row ->> 'key', old_row ->> 'key'), tg_op, was, became);
  return null;
end $$;

create function kernel.audit_hash(previous bytea, entry kernel.audit_entry) returns bytea language sql stable
  set search_path = pg_catalog set timezone = 'UTC'
  as $$ select sha256(previous || convert_to(to_jsonb(entry)::text, 'UTF8')) $$;

create function kernel.link_audit() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare head kernel.audit_head; next_hash bytea;
begin
  insert into kernel.audit_head (tenant_id, seq, hash) values (new.tenant_id, 0, '\x') on conflict do nothing;
  select * into head from kernel.audit_head where tenant_id = new.tenant_id for update;
  next_hash := kernel.audit_hash(head.hash, new);
  insert into kernel.audit_link (tenant_id, seq, entry_id, hash) values (new.tenant_id, head.seq + 1, new.id, next_hash);
  update kernel.audit_head set seq = head.seq + 1, hash = next_hash where tenant_id = new.tenant_id;
  return null;
end $$;

create constraint trigger link_audit after insert on kernel.audit_entry
  deferrable initially deferred for each row execute function kernel.link_audit();

-- Where the chain of the present tenant first breaks, or null when it is whole.
create function kernel.audit_break() returns bigint language plpgsql stable set search_path = pg_catalog as $$
declare link record; previous bytea := '\x'; expected bigint := 1;
begin
  for link in
    select l.seq, l.hash, e as entry, e.id is null as is_gone
      from kernel.audit_link l left join kernel.audit_entry e on e.tenant_id = l.tenant_id and e.id = l.entry_id
     where l.tenant_id = kernel.tenant_id() order by l.seq
  loop
    if link.seq <> expected or link.is_gone or link.hash <> kernel.audit_hash(previous, link.entry) then return expected; end if;
    previous := link.hash; expected := expected + 1;
  end loop;
  if expected - 1 <> coalesce((select seq from kernel.audit_head where tenant_id = kernel.tenant_id()), 0) then return expected; end if;
  return null;
end $$;

-- Makes a table a tenant's: its column is filled in by the database, foreign rows are neither seen nor written, and
-- every write leaves an audit entry (columns in `masked` without their value).
create procedure kernel.make_tenanted(target regclass, is_audited boolean default true, masked text[] default '{}')
language plpgsql as $$
begin
  execute format('alter table %s add column if not exists tenant_id uuid not null', target);
  execute format('alter table %s alter column tenant_id set default kernel.tenant_id()', target);
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format('create policy tenant_wall on %s as restrictive for all to dotmac_tenant_rw
    using (tenant_id = (select kernel.tenant_id())) with check (tenant_id = (select kernel.tenant_id()))', target);
  execute format('create policy tenant_rows on %s as permissive for all to dotmac_tenant_rw using (true) with check (true)', target);
  execute format('create policy owner_migrates on %s as permissive for all to dotmac_owner
    using (current_setting(''app.migration'', true) = ''on'') with check (current_setting(''app.migration'', true) = ''on'')', target);
  if is_audited then
    execute format('create trigger audit after insert or update or delete on %s for each row execute function kernel.audit_row(%s)',
      target, (select coalesce(string_agg(quote_literal(m), ', '), '') from unnest(masked) m));
  end if;
end $$;

-- The control plane reads a table across tenants, through a role and a code path of its own.
create procedure kernel.make_platform_readable(target regclass) language plpgsql as $$
begin
  execute format('create policy platform_reads on %s as permissive for select to dotmac_platform using (true)', target);
  execute format('grant select on %s to dotmac_platform', target);
  execute format('grant usage on schema %s to dotmac_platform',
    (select n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = target));
end $$;

-- Narrows a table to one customer's rows while a portal customer asks. It can never widen.
create procedure kernel.make_customer_scoped(target regclass, customer_column text) language plpgsql as $$
begin
  execute format('create policy customer_rows on %s as restrictive for all to dotmac_tenant_rw
    using ((select kernel.customer_id()) is null or %I = (select kernel.customer_id()))
    with check ((select kernel.customer_id()) is null or %I = (select kernel.customer_id()))', target, customer_column, customer_column);
end $$;

call kernel.make_tenanted('kernel.audit_entry', false);
call kernel.make_tenanted('kernel.audit_link', false);
call kernel.make_tenanted('kernel.audit_head', false);
grant select on kernel.audit_entry, kernel.audit_link, kernel.audit_head to dotmac_tenant_rw;
grant insert on kernel.audit_entry, kernel.audit_link to dotmac_kernel;
grant select, insert, update on kernel.audit_head to dotmac_kernel;
grant create on schema kernel to dotmac_kernel;   -- only for the moment in which it becomes their owner
alter function kernel.audit_row() owner to dotmac_kernel;
alter function kernel.link_audit() owner to dotmac_kernel;
revoke create on schema kernel from dotmac_kernel;
