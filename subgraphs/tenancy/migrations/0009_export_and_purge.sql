create table tenancy.data_export (
  tenant_id uuid not null,
  id uuid not null,
  state text not null check (state in ('REQUESTED', 'RUNNING', 'READY', 'EXPIRED', 'FAILED')),
  domains text[] not null,
  waiting_for text[] not null,                       -- domains that have not answered yet
  files jsonb not null default '[]',                 -- [{domain, fileId, noun, rows, bytes, sha256}]
  requested_at timestamptz not null,
  requested_by uuid,
  ready_at timestamptz,
  expires_at timestamptz,
  primary key (tenant_id, id),
  check ((state in ('READY', 'EXPIRED')) = (ready_at is not null))
);
create unique index one_open_export on tenancy.data_export (tenant_id) where state in ('REQUESTED', 'RUNNING');
call kernel.make_tenanted('tenancy.data_export');
call kernel.make_platform_readable('tenancy.data_export');

-- Not audited: it is written in the very transaction that deletes the audit log, and what it says the certificate says.
create table tenancy.purge (
  tenant_id uuid primary key,
  id uuid not null,
  approved_by uuid[] not null check (cardinality(approved_by) in (1, 2)),
  approved_at timestamptz not null,
  asked_at timestamptz,                              -- when domains were last asked to delete; null until a second person approved
  begun_at timestamptz,
  waiting_for text[] not null,
  counts jsonb not null default '{}',                -- {"billing.invoice": 12}
  rows_left jsonb                                    -- what was still there when all had answered
);
call kernel.make_tenanted('tenancy.purge', false);
call kernel.make_platform_readable('tenancy.purge');

-- All that is left of a tenant that was deleted. It belongs to nobody, so that nothing of the tenant has to stay for it.
create table tenancy.tombstone (
  id uuid primary key,                               -- the tenant's
  slug_hash text not null unique,
  certificate_id uuid not null unique,
  certificate text not null
);
revoke update, delete on tenancy.tombstone from svc_tenancy;

-- A slug is never used twice, nor an id, not even when their tenant is gone.
create function tenancy.refuse_buried() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
  if exists (
    select from tenancy.tombstone t
     where t.id = new.id or t.slug_hash = encode(sha256(convert_to(new.slug, 'UTF8')), 'hex')
  ) then raise exception 'this slug was used by a tenant that is gone' using errcode = '23505', constraint = 'tenant_slug'; end if;
  return new;
end $$;
create trigger refuse_buried before insert or update of slug on tenancy.tenant
  for each row execute function tenancy.refuse_buried();
