-- A tenant's settings by section: what was set, and how each version came to be. A section nobody changed has no row.
create table tenancy.settings_section (
  tenant_id uuid not null,
  id text not null,
  version int not null check (version >= 2),
  values jsonb not null,
  updated_at timestamptz not null,
  updated_by uuid,
  primary key (tenant_id, id)
);
call kernel.make_tenanted('tenancy.settings_section');

create table tenancy.settings_revision (
  tenant_id uuid not null,
  id uuid not null,
  section text not null,
  version int not null,
  keys text[] not null,
  before jsonb not null,
  after jsonb not null,
  values jsonb not null,      -- all that was set in this version
  actor uuid,
  at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, section, version)
);
call kernel.make_tenanted('tenancy.settings_revision', false);

-- What the tenants here were registered with.
update kernel.tenant_profile p set locale = t.locale from tenancy.tenant t where t.tenant_id = p.tenant_id;
