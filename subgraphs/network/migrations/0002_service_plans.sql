create table network.service_plan (
  tenant_id uuid not null,
  id uuid not null,
  code text not null check (code ~ '^[a-z][a-z0-9_]{0,31}$'),
  number int not null check (number > 0),
  state text not null check (state in ('PUBLISHED', 'RETIRED')),
  kind text not null check (kind in ('INTERNET', 'VOICE', 'TV')),
  technology text not null check (technology in ('FIBRE', 'CABLE', 'DSL', 'FIXED_WIRELESS', 'SATELLITE')),
  down_kbps int not null check (down_kbps > 0),
  up_kbps int not null check (up_kbps > 0),
  published_at timestamptz not null,
  retired_at timestamptz,
  primary key (tenant_id, id),
  constraint service_plan_number unique (tenant_id, code, number),
  check ((state = 'RETIRED') = (retired_at is not null))
);
call kernel.make_tenanted('network.service_plan');
revoke delete on network.service_plan from svc_network;

-- Published is frozen: what was sold on a plan keeps meaning what it meant. Only its state moves.
create function network.refuse_plan_edit() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
  if to_jsonb(new) - array['state', 'retired_at'] is distinct from to_jsonb(old) - array['state', 'retired_at'] then
    raise exception 'a published plan is frozen' using errcode = 'check_violation';
  end if;
  return new;
end $$;
create trigger frozen before update on network.service_plan for each row execute function network.refuse_plan_edit();
