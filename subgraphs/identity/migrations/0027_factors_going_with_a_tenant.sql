-- What the subscribers of an ISP that is deleted prove themselves with goes with them.
call kernel.goes_with_tenant('identity.second_factor',
  'user_id in (select u.id from identity.user u where u.realm = kernel.tenant_id()::text)');
call kernel.goes_with_tenant('identity.recovery_code',
  'user_id in (select u.id from identity.user u where u.realm = kernel.tenant_id()::text)');
call kernel.goes_with_tenant('identity.passkey',
  'user_id in (select u.id from identity.user u where u.realm = kernel.tenant_id()::text)');
call kernel.goes_with_tenant('identity.challenge',
  'home_id = kernel.tenant_id() or user_id in (select u.id from identity.user u where u.realm = kernel.tenant_id()::text)');
call kernel.goes_with_tenant('identity.factor_reset',
  'user_id in (select u.id from identity.user u where u.realm = kernel.tenant_id()::text)');
