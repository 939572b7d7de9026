-- What stands on licences, and what of the catalogue they point at, each to be read in one statement however many
-- licences there are. Numbers that JSON would round are written as digits.
create view licensing.standing with (security_invoker = true) as
  select license_id, 'ADD_ON' as kind, to_jsonb(r) as "row" from licensing.license_add_on r
  union all
  select license_id, 'OVERRIDE', to_jsonb(r) || jsonb_build_object('limit', r."limit"::text, 'unit_rate', r.unit_rate::text)
    from licensing.override r
  union all
  select license_id, 'GRANT', to_jsonb(r) || jsonb_build_object('amount', r.amount::text, 'remaining', r.remaining::text,
                                                                'rollover_max', r.rollover_max::text)
    from licensing."grant" r
  union all
  select license_id, 'HOLD', to_jsonb(r) from licensing.hold r where r.lifted_at is null
  union all
  select license_id, 'PLANNED', to_jsonb(r) from licensing.planned_change r where r.status in ('SCHEDULED', 'AWAITING_PAYMENT');

create view licensing.sold_version with (security_invoker = true) as
  select v.id, 'PLAN' as kind, to_jsonb(p) as item,
         to_jsonb(v) || jsonb_build_object('price_minor', v.price_minor::text,
                                           'annual_discount_percent', v.annual_discount_percent::text) as version
    from licensing.plan_version v join licensing.plan p on p.id = v.plan_id
  union all
  select v.id, 'ADD_ON', to_jsonb(a),
         to_jsonb(v) || jsonb_build_object('price_minor', v.price_minor::text, 'setup_fee_minor', v.setup_fee_minor::text)
    from licensing.add_on_version v join licensing.add_on a on a.id = v.add_on_id;

revoke insert, update, delete on licensing.standing, licensing.sold_version from svc_licensing;
grant select on licensing.standing, licensing.sold_version to dotmac_platform;
