-- The people and organisations behind customers. What is about a person is masked in the audit log, whose chain could
-- not bear an erasure.
create table crm.contact (
  tenant_id uuid not null,
  id uuid not null,
  kind text not null check (kind in ('PERSON', 'ORGANISATION')),
  display_name text not null check (length(display_name) between 1 and 200),
  given_name text check (length(given_name) between 1 and 100),
  family_name text check (length(family_name) between 1 and 100),
  language text,
  status text not null check (status in ('ACTIVE', 'INACTIVE')),
  version int not null default 1,
  created_at timestamptz not null default kernel.now(),
  updated_at timestamptz not null default kernel.now(),
  created_by_id uuid,
  primary key (tenant_id, id)
);
create index contact_by_name on crm.contact (tenant_id, display_name, id);
call kernel.make_tenanted('crm.contact', true, array['display_name', 'given_name', 'family_name']);

create table crm.contact_point (
  tenant_id uuid not null,
  id uuid not null,
  contact_id uuid not null,
  position int not null,
  type text not null check (type in ('EMAIL', 'PHONE')),
  value text not null check (length(value) between 3 and 254),
  extension text check (extension ~ '^[0-9]{1,7}$'),
  label text check (length(label) between 1 and 60),
  is_primary boolean not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, contact_id) references crm.contact (tenant_id, id)
);
create unique index contact_point_once on crm.contact_point (tenant_id, contact_id, type, lower(value), coalesce(extension, ''));
create unique index contact_point_primary on crm.contact_point (tenant_id, contact_id, type) where is_primary;
create index contact_point_by_value on crm.contact_point (tenant_id, type, lower(value));
call kernel.make_tenanted('crm.contact_point', true, array['value', 'extension', 'label']);

-- What a contact is to a customer, in [since, until).
create table crm.contact_link (
  tenant_id uuid not null,
  id uuid not null,
  contact_id uuid not null,
  customer_id uuid not null,
  role text not null check (role in ('PRIMARY', 'BILLING', 'TECHNICAL', 'SITE', 'EMERGENCY', 'LEGAL', 'USER')),
  since timestamptz not null,
  until timestamptz check (until >= since),
  primary key (tenant_id, id),
  foreign key (tenant_id, contact_id) references crm.contact (tenant_id, id)
);
create unique index contact_link_primary on crm.contact_link (tenant_id, customer_id) where role = 'PRIMARY' and until is null;
create unique index contact_link_once on crm.contact_link (tenant_id, contact_id, customer_id, role) where until is null;
create index contact_link_by_customer on crm.contact_link (tenant_id, customer_id, since);
call kernel.make_tenanted('crm.contact_link');
