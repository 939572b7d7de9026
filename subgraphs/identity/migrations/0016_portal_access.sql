-- The customers a portal account can be given for, as billing tells of them; in the platform, of which ISP each is the
-- account.
create table identity.customer_copy (
  tenant_id uuid not null,
  customer_id uuid not null,
  is_closed boolean not null,
  licensed_tenant_id uuid,
  version int not null,
  primary key (tenant_id, customer_id)
);
create unique index customer_copy_of_tenant on identity.customer_copy (tenant_id, licensed_tenant_id)
  where licensed_tenant_id is not null;
call kernel.make_tenanted('identity.customer_copy', false);
call kernel.make_customer_scoped('identity.customer_copy', 'customer_id');
create index membership_of_customer on identity.membership (tenant_id, customer_id) where customer_id is not null;
