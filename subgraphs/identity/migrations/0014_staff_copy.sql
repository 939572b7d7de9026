-- The kernel's copy of who works where is written with the memberships it copies.
grant insert, update, delete on kernel.staff to svc_identity;
insert into kernel.staff (tenant_id, user_id)
  select distinct tenant_id, user_id from identity.membership where kind = 'STAFF' and state <> 'ENDED';
