-- Through which connection to a tenant's own provider a session was opened, and a challenge on the way to one: when the
-- connection is taken out of use, they end.
alter table identity.session add column connection_id uuid;
alter table identity.challenge add column connection_id uuid;
create index session_of_connection on identity.session (connection_id)
  where end_reason is null and connection_id is not null;
-- Of sessions opened before nobody noted it; where the tenant has one connection only, it was that one.
update identity.session s
   set connection_id = c.id
  from identity.sso_connection c
 where 'SSO' = any (s.methods) and s.end_reason is null and s.home_id = c.home_id
   and not exists (select from identity.sso_connection o where o.home_id = c.home_id and o.id <> c.id);
