-- Who was asked to work at a tenant. The token is kept as its hash.
create table tenancy.invitation (
  tenant_id uuid not null,
  id uuid not null,
  home_id uuid not null generated always as (tenant_id) stored,   -- says the tenant aloud, for readers across tenants
  email text not null,
  role text not null,
  token_hash text not null,
  invited_by uuid,
  state text not null check (state in ('PENDING', 'ACCEPTED', 'EXPIRED', 'REVOKED')),
  sent_count int not null check (sent_count >= 1),
  expires_at timestamptz not null,
  accepted_by uuid,
  created_at timestamptz not null,
  primary key (tenant_id, id),
  check ((state = 'ACCEPTED') = (accepted_by is not null))
);
create unique index invitation_pending on tenancy.invitation (tenant_id, lower(email)) where state = 'PENDING';
call kernel.make_tenanted('tenancy.invitation', true, '{email,token_hash}');
call kernel.make_platform_readable('tenancy.invitation');
