-- Custom domains: how each is proved, when it is looked at again, and what has become of its certificate.
alter table tenancy.tenant_domain
  add column home_id uuid not null generated always as (tenant_id) stored,   -- says the tenant aloud, for readers across tenants
  add column method text check (method in ('DNS_TXT', 'DNS_CNAME')),
  add column record_name text,
  add column record_value text,
  add column certificate text not null default 'NONE' check (certificate in ('NONE', 'PENDING', 'ISSUED', 'FAILED', 'EXPIRING')),
  add column certificate_ends_at timestamptz,
  add column is_primary boolean not null default false,
  add column expires_at timestamptz,
  add column checks int not null default 0,
  add column failed_checks int not null default 0,
  add column next_check_at timestamptz,
  add check (kind = 'PLATFORM_SUBDOMAIN' or (method is not null and record_name is not null and record_value is not null)),
  add check (not is_primary or state = 'ACTIVE');
call kernel.make_platform_readable('tenancy.tenant_domain');
-- Whose a host is holds on the whole platform: this key does not begin with the tenant.
create unique index tenant_domain_host on tenancy.tenant_domain (host) where state in ('VERIFIED', 'ACTIVE');
create unique index tenant_domain_asked on tenancy.tenant_domain (tenant_id, host) where state not in ('RELEASED', 'EXPIRED');
create unique index tenant_domain_primary on tenancy.tenant_domain (tenant_id) where is_primary;
