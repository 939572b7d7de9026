-- Gateways are told, with whose a host is, until when it leads on to the platform's name.
call kernel.make_platform_readable('tenancy.branding');

-- Pictures on their way into a branding: a place is asked for, the picture put there, and used within a day.
create table tenancy.brand_upload (
  tenant_id uuid not null,
  id uuid not null,
  content bytea check (length(content) <= 524288),
  ends_at timestamptz not null,
  primary key (tenant_id, id)
);
call kernel.make_tenanted('tenancy.brand_upload', false);
