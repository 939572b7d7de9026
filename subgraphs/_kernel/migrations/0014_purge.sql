-- How the rows of a tenant that is being deleted go, those nobody else may delete among them: ledger, audit, events. The
-- role that may is no service's: it acts in two functions only, behind the wall of the tenant the transaction is in.

-- Rows that go with a tenant in tables that belong to none. `rows_of_tenant` is a condition over the table's columns.
create table kernel.beside_tenant (
  table_name text primary key,
  rows_of_tenant text not null,
  is_exported boolean not null
);
grant select on kernel.beside_tenant to dotmac_tenant_rw;

-- Says, for a table that belongs to no tenant, which of its rows go with one, and whether its export holds them.
create procedure kernel.goes_with_tenant(target regclass, rows_of_tenant text, is_exported boolean default false)
language plpgsql as $$
begin
  execute format('grant select, delete on %s to dotmac_purge', target);
  insert into kernel.beside_tenant (table_name, rows_of_tenant, is_exported)
  select format('%I.%I', n.nspname, c.relname), goes_with_tenant.rows_of_tenant, goes_with_tenant.is_exported
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = target;
end $$;

-- Every table with rows of tenants, and which are those of the present one.
create function kernel.tables_of_tenant() returns table (schema_name text, table_name text, rows_of_tenant text, is_exported boolean)
language sql stable set search_path = pg_catalog as $$
  select n.nspname, format('%I.%I', n.nspname, c.relname), 'tenant_id = kernel.tenant_id()', true
    from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
   where p.polname = 'tenant_wall' and c.relkind in ('r', 'p')
  union all
  select split_part(b.table_name, '.', 1), b.table_name, b.rows_of_tenant, b.is_exported from kernel.beside_tenant b
$$;

-- Whether the present tenant is being deleted: what its rows leave behind when they go then is not kept.
create function kernel.is_purging() returns boolean language sql stable set search_path = pg_catalog as $$
  select exists (select from kernel.tenant_profile p where p.tenant_id = kernel.tenant_id() and p.state = 'PURGING')
$$;

-- Domains delete side by side; the last of all waits for them, and after it nobody finds the tenant.
create function kernel.refuse_unless_purging(is_last boolean) returns void language plpgsql set search_path = pg_catalog as $$
begin
  if is_last then
    perform from kernel.tenant_profile p where p.tenant_id = kernel.tenant_id() and p.state = 'PURGING' for update;
  else
    perform from kernel.tenant_profile p where p.tenant_id = kernel.tenant_id() and p.state = 'PURGING' for share;
  end if;
  if not found then raise exception 'this tenant is not being deleted' using errcode = '55000'; end if;
end $$;

-- Deletes what the present tenant has in a schema: its owner's service may, for the kernel's tables tenancy, and only
-- while the tenant is being deleted. Answers how many rows of each table went. What others refer to goes after them.
create function kernel.purge(target text) returns jsonb language plpgsql security definer set search_path = pg_catalog as $$
declare waiting text[]; left_over text[]; one text; its_rows text; gone bigint; counts jsonb := '{}';
begin
  if session_user <> 'svc_' || coalesce(nullif(target, 'kernel'), 'tenancy') then
    raise exception 'a service deletes its own rows only' using errcode = '42501';
  end if;
  perform kernel.refuse_unless_purging(target = 'kernel');
  select array_agg(t.table_name) into waiting from kernel.tables_of_tenant() t where t.schema_name = target;
  while cardinality(waiting) > 0 loop
    left_over := '{}';
    foreach one in array waiting loop
      select t.rows_of_tenant into its_rows from kernel.tables_of_tenant() t where t.table_name = one;
      begin
        execute format('delete from %s where %s', one, its_rows);
        get diagnostics gone = row_count;
        counts := counts || jsonb_build_object(one, gone);
      exception when foreign_key_violation then
        left_over := left_over || one;
      end;
    end loop;
    if cardinality(left_over) = cardinality(waiting) then
      raise exception 'rows of % are still referred to', array_to_string(left_over, ', ');
    end if;
    waiting := left_over;
  end loop;
  return counts;
end $$;

-- The tables in which the present tenant, which is being deleted, still has rows, and how many.
create function kernel.rows_left() returns jsonb language plpgsql stable security definer set search_path = pg_catalog as $$
declare one record; found_rows bigint; counts jsonb := '{}';
begin
  if session_user <> 'svc_tenancy' then raise exception 'only tenancy counts' using errcode = '42501'; end if;
  for one in select t.table_name, t.rows_of_tenant from kernel.tables_of_tenant() t loop
    execute format('select count(*) from %s where %s', one.table_name, one.rows_of_tenant) into found_rows;
    if found_rows > 0 then counts := counts || jsonb_build_object(one.table_name, found_rows); end if;
  end loop;
  return counts;
end $$;

-- As before, and the role that deletes gets its rights on the table.
create or replace procedure kernel.make_tenanted(target regclass, is_audited boolean default true, masked text[] default '{}')
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
  execute format('grant select, delete on %s to dotmac_purge', target);
  if is_audited then
    execute format('create trigger audit after insert or update or delete on %s for each row execute function kernel.audit_row(%s)',
      target, (select coalesce(string_agg(quote_literal(m), ', '), '') from unnest(masked) m));
  end if;
end $$;

do $$
declare one record;
begin
  for one in select t.schema_name, t.table_name from kernel.tables_of_tenant() t loop
    execute format('grant usage on schema %I to dotmac_purge', one.schema_name);
    execute format('grant select, delete on %s to dotmac_purge', one.table_name);
  end loop;
end $$;

grant update on kernel.tenant_profile to dotmac_purge;   -- to lock it
revoke all on function kernel.purge, kernel.rows_left from public;
grant execute on function kernel.purge, kernel.rows_left to dotmac_tenant_rw;
grant create on schema kernel to dotmac_kernel, dotmac_purge;   -- only for the moment in which they get their functions
alter function kernel.purge owner to dotmac_purge;
alter function kernel.rows_left owner to dotmac_purge;
set local role dotmac_kernel;

-- As before, but for what goes with its tenant: that is told by the certificate, and the entries go too.
create or replace function kernel.audit_row() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare
  was jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  became jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
  row_name text := coalesce(became ->> 'id', was ->> 'id', became ->> 'key', was ->> 'key');
  masked text;
begin
  if tg_op = 'DELETE' and kernel.is_purging() then return null; end if;
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

set local role dotmac_owner;
revoke create on schema kernel from dotmac_kernel, dotmac_purge;
