-- The key a tenant's sealed fields are read with, itself sealed under MASTER_KEY. Without its row nobody reads them again.
create table kernel.data_key (
  tenant_id uuid primary key,
  sealed text not null,
  made_at timestamptz not null default now()
);
call kernel.make_tenanted('kernel.data_key', false);
grant select, insert on kernel.data_key to dotmac_tenant_rw;

-- Links to files that open once and have been opened.
create table kernel.file_link_use (
  tenant_id uuid not null,
  id uuid not null,
  ends_at timestamptz not null,
  primary key (tenant_id, id)
);
call kernel.make_tenanted('kernel.file_link_use', false);
grant select, insert, delete on kernel.file_link_use to dotmac_tenant_rw;
