-- Signed licence files and the keys that sign them. A key's row holds what everybody may know of it, and the statement
-- of it that a root signed; its private half never comes here.
create table licensing.signing_key (
  kid text primary key,
  public_key text not null,
  statement text not null,
  status text not null check (status in ('NEXT', 'ACTIVE', 'RETIRING', 'RETIRED', 'REVOKED')),
  made_at timestamptz not null,
  active_at timestamptz not null,
  retiring_at timestamptz,
  retired_at timestamptz,
  revoked_at timestamptz,
  reason text,
  check ((status = 'REVOKED') = (revoked_at is not null))
);
create unique index one_signing_key_of_a_kind on licensing.signing_key (status) where status in ('NEXT', 'ACTIVE');
revoke delete on licensing.signing_key from svc_licensing;
grant select on licensing.signing_key to dotmac_platform;
-- Keys are written in the platform's tenant, whose audit log says who did it.
create trigger audit after insert or update on licensing.signing_key for each row execute function kernel.audit_row();

-- Every list of what is revoked that was ever published; the newest counts.
create table licensing.revocation_list (
  seq bigint primary key,
  issued_at timestamptz not null,
  content_hash text not null,
  jws text not null
);
revoke update, delete on licensing.revocation_list from svc_licensing;
grant select on licensing.revocation_list to dotmac_platform;

create table licensing.license_file (
  tenant_id uuid not null,
  id uuid not null,
  license_id uuid not null,
  epoch int not null check (epoch >= 1),
  license_version int not null,
  kid text not null references licensing.signing_key,
  installation_id uuid,
  issued_at timestamptz not null,
  not_before timestamptz not null,
  expires_at timestamptz not null check (expires_at > issued_at),
  sha256 text not null,
  revoked_at timestamptz,
  reason text,
  primary key (tenant_id, id),
  unique (tenant_id, epoch),
  foreign key (tenant_id, license_id) references licensing.license,
  check ((revoked_at is null) = (reason is null))
);
create index license_file_of on licensing.license_file (tenant_id, license_id);
create index license_file_revoked on licensing.license_file (tenant_id, id) where revoked_at is not null;
create index license_revoked on licensing.license (tenant_id, id) where revoked_at is not null;
call kernel.make_tenanted('licensing.license_file');
call kernel.make_platform_readable('licensing.license_file');
revoke delete on licensing.license_file from svc_licensing;

-- Whose a file is and whether its licence still stands, for the control plane: whoever else asks sees his own.
create view licensing.issued_file with (security_invoker = true) as
  select f.id, f.tenant_id as licensed_tenant_id, f.epoch, f.expires_at, f.revoked_at, l.revoked_at as license_revoked_at
    from licensing.license_file f join licensing.license l on l.tenant_id = f.tenant_id and l.id = f.license_id;
revoke insert, update, delete on licensing.issued_file from svc_licensing;
grant select on licensing.issued_file to dotmac_platform;
