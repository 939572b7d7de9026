-- Version 1 of the plans (R3) and of the marketplace (R4). Limits are in the quota's base unit, so storage is in bytes.

insert into licensing.plan (id, code, name, is_listed, is_endless) values
  ('01990000-0000-7000-8000-000000000100', 'internal', 'Internal', false, true),
  ('01990000-0000-7000-8000-000000000101', 'starter', 'Starter', true, false),
  ('01990000-0000-7000-8000-000000000102', 'professional', 'Professional', true, false),
  ('01990000-0000-7000-8000-000000000103', 'enterprise', 'Enterprise', true, false);

insert into licensing.plan_version
  (id, plan_id, number, status, price_minor, currency, annual_discount_percent, trial_days, grace_days, restricted_days, features, limits) values
  ('01990000-0000-7000-8000-000000000200', '01990000-0000-7000-8000-000000000100', 1, 'PUBLISHED', 0, 'USD', 0, 0, 7, 14,
   '{crm,tickets,projects,fieldops,analytics,webhooks,api_keys,white_label,partners,analytics.advanced}',
   '[{"key": "subscribers", "limit": null, "policy": "HARD"},
     {"key": "staff_users", "limit": null, "policy": "HARD"},
     {"key": "devices", "limit": null, "policy": "HARD"},
     {"key": "tickets", "limit": null, "policy": "HARD"},
     {"key": "api_calls", "limit": null, "policy": "HARD"},
     {"key": "storage_gb", "limit": null, "policy": "HARD"},
     {"key": "webhook_endpoints", "limit": null, "policy": "HARD"}]'),
  ('01990000-0000-7000-8000-000000000201', '01990000-0000-7000-8000-000000000101', 1, 'PUBLISHED', 9900, 'USD', 15, 14, 7, 14,
   '{tickets}',
   '[{"key": "subscribers", "limit": "500", "policy": "HARD", "unitRate": "0.10"},
     {"key": "staff_users", "limit": "3", "policy": "HARD", "unitRate": "5.00"},
     {"key": "devices", "limit": "25", "policy": "HARD"},
     {"key": "tickets", "limit": "100", "policy": "HARD"},
     {"key": "api_calls", "limit": "100000", "policy": "HARD"},
     {"key": "storage_gb", "limit": "10000000000", "policy": "HARD"},
     {"key": "webhook_endpoints", "limit": "0", "policy": "HARD"}]'),
  ('01990000-0000-7000-8000-000000000202', '01990000-0000-7000-8000-000000000102', 1, 'PUBLISHED', 29900, 'USD', 20, 30, 7, 14,
   '{tickets,crm,projects,analytics,webhooks,api_keys}',
   '[{"key": "subscribers", "limit": "5000", "policy": "HARD", "unitRate": "0.08"},
     {"key": "staff_users", "limit": "10", "policy": "HARD", "unitRate": "5.00"},
     {"key": "devices", "limit": "250", "policy": "HARD"},
     {"key": "tickets", "limit": "1000", "policy": "HARD"},
     {"key": "api_calls", "limit": "500000", "policy": "OVERAGE", "unitRate": "0.001"},
     {"key": "storage_gb", "limit": "50000000000", "policy": "OVERAGE", "unitRate": "0.50"},
     {"key": "webhook_endpoints", "limit": "5", "policy": "HARD"}]'),
  ('01990000-0000-7000-8000-000000000203', '01990000-0000-7000-8000-000000000103', 1, 'PUBLISHED', 99900, 'USD', 25, 30, 7, 14,
   '{crm,tickets,projects,fieldops,analytics,webhooks,api_keys,white_label,partners,analytics.advanced}',
   '[{"key": "subscribers", "limit": null, "policy": "HARD"},
     {"key": "staff_users", "limit": null, "policy": "HARD"},
     {"key": "devices", "limit": null, "policy": "HARD"},
     {"key": "tickets", "limit": null, "policy": "HARD"},
     {"key": "api_calls", "limit": null, "policy": "HARD"},
     {"key": "storage_gb", "limit": "500000000000", "policy": "OVERAGE", "unitRate": "0.30"},
     {"key": "webhook_endpoints", "limit": "25", "policy": "HARD"}]');

insert into licensing.add_on (id, code, name, ladder) values
  ('01990000-0000-7000-8000-000000000301', 'customer_basics', 'Customer basics', 'FREE'),
  ('01990000-0000-7000-8000-000000000302', 'simple_billing', 'Simple billing', 'FREE'),
  ('01990000-0000-7000-8000-000000000303', 'api_access', 'API access', 'BASIC'),
  ('01990000-0000-7000-8000-000000000304', 'subscribers_500', '500 more subscribers', 'BASIC'),
  ('01990000-0000-7000-8000-000000000305', 'staff_seats_5', '5 more staff seats', 'BASIC'),
  ('01990000-0000-7000-8000-000000000306', 'storage_100', '100 GB more storage', 'BASIC'),
  ('01990000-0000-7000-8000-000000000307', 'billing_advanced', 'Advanced billing', 'BASIC'),
  ('01990000-0000-7000-8000-000000000308', 'crm_integrations', 'CRM integrations', 'BASIC'),
  ('01990000-0000-7000-8000-000000000309', 'analytics', 'Analytics', 'PREMIUM'),
  ('01990000-0000-7000-8000-00000000030a', 'priority_support', 'Priority support', 'PREMIUM'),
  ('01990000-0000-7000-8000-00000000030b', 'analytics_advanced', 'Advanced analytics', 'PREMIUM'),
  ('01990000-0000-7000-8000-00000000030c', 'custom_integrations', 'Custom integrations', 'PREMIUM'),
  ('01990000-0000-7000-8000-00000000030d', 'white_label', 'White label', 'PREMIUM'),
  ('01990000-0000-7000-8000-00000000030e', 'ai_insights', 'AI insights', 'ENTERPRISE'),
  ('01990000-0000-7000-8000-00000000030f', 'predictive_analytics', 'Predictive analytics', 'ENTERPRISE'),
  ('01990000-0000-7000-8000-000000000310', 'unlimited_api', 'Unlimited API', 'ENTERPRISE');

insert into licensing.add_on_version (id, add_on_id, version, status, price_minor, setup_fee_minor, currency, features, limits, requires, max_quantity)
select ('01990000-0000-7000-8000-000000000' || to_hex(('x' || right(a.id::text, 3))::bit(12)::int + 256))::uuid, a.id, 1, 'PUBLISHED',
       v.price_minor, v.setup_fee_minor, 'USD', v.features::text[], v.limits::jsonb, v.requires::text[], v.max_quantity
  from (values
    ('customer_basics', 0, 0, '{}', '[]', '{}', 1),
    ('simple_billing', 0, 0, '{}', '[]', '{}', 1),
    ('api_access', 2900, 0, '{api_keys}', '[{"key": "api_calls", "mode": "ADD", "amount": "100000"}]', '{}', 1),
    ('subscribers_500', 3900, 0, '{}', '[{"key": "subscribers", "mode": "ADD", "amount": "500"}]', '{}', 20),
    ('staff_seats_5', 2500, 0, '{}', '[{"key": "staff_users", "mode": "ADD", "amount": "5"}]', '{}', 1),
    ('storage_100', 500, 0, '{}', '[{"key": "storage_gb", "mode": "ADD", "amount": "100000000000"}]', '{}', 1),
    ('billing_advanced', 4900, 0, '{billing.advanced}', '[]', '{}', 1),
    ('crm_integrations', 3900, 0, '{crm.integrations}', '[]', '{crm}', 1),
    ('analytics', 4900, 0, '{analytics}', '[]', '{}', 1),
    ('priority_support', 9900, 5000, '{}', '[]', '{}', 1),
    ('analytics_advanced', 6900, 0, '{analytics.advanced}', '[]', '{analytics}', 1),
    ('custom_integrations', 5900, 0, '{webhooks}', '[{"key": "webhook_endpoints", "mode": "ADD", "amount": "10"}]', '{}', 1),
    ('white_label', 9900, 0, '{white_label}', '[]', '{}', 1),
    ('ai_insights', 19900, 0, '{analytics.insights}', '[]', '{analytics.advanced}', 1),
    ('predictive_analytics', 19900, 0, '{analytics.predictive}', '[]', '{analytics.advanced}', 1),
    ('unlimited_api', 24900, 0, '{}', '[{"key": "api_calls", "mode": "SET", "amount": null}]', '{api_keys}', 1)
  ) as v (code, price_minor, setup_fee_minor, features, limits, requires, max_quantity)
  join licensing.add_on a on a.code = v.code;
