-- Who works at a tenant: the person's id and a keyed mark of their mail. Identity writes it with each membership, so that
-- an invitation knows at once whom it need not invite.
create table kernel.staff (
  tenant_id uuid not null,
  user_id uuid not null,
  mail_mark text,
  primary key (tenant_id, user_id)
);
call kernel.make_tenanted('kernel.staff', false);
grant select on kernel.staff to dotmac_tenant_rw;
