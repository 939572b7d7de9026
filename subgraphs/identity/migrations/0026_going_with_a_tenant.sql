-- The subscribers of an ISP that is deleted are nobody's any more; its staff are people of the whole platform and stay.
call kernel.goes_with_tenant('identity.user', 'realm = kernel.tenant_id()::text', true);
call kernel.goes_with_tenant('identity.credential',
  'user_id in (select u.id from identity.user u where u.realm = kernel.tenant_id()::text)');
call kernel.goes_with_tenant('identity.session',
  'home_id = kernel.tenant_id() or user_id in (select u.id from identity.user u where u.realm = kernel.tenant_id()::text)');
call kernel.goes_with_tenant('identity.sign_in_record',
  'home_id = kernel.tenant_id() or user_id in (select u.id from identity.user u where u.realm = kernel.tenant_id()::text)');
