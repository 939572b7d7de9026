-- The copy of a tenant's settings every domain reads: {section: {key: value}}, what was set and nothing else. Tenancy
-- writes it in the transaction of each change. Defaults that come from the register are taken from the columns beside it.
alter table kernel.tenant_profile
  add column settings jsonb not null default '{}',
  add column locale text,
  add column region text;
