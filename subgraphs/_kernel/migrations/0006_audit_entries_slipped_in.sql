-- Where the chain of the present tenant first breaks, or null when it is whole. An entry without a link, which only a
-- superuser can slip in, is a break past its end; those this transaction has yet to link are none.
create or replace function kernel.audit_break() returns bigint language plpgsql stable set search_path = pg_catalog as $$
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
  if exists (
    select from kernel.audit_entry e
     where e.tenant_id = kernel.tenant_id() and e.xmin is distinct from pg_current_xact_id_if_assigned()::xid
       and not exists (select from kernel.audit_link l where l.tenant_id = e.tenant_id and l.entry_id = e.id)
  ) then return expected; end if;
  return null;
end $$;
