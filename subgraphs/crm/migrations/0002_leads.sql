-- Who might buy. What is about a person is masked in the audit log, as for contacts.
create table crm.lead (
  tenant_id uuid not null,
  id uuid not null,
  number text not null,
  kind text not null check (kind in ('RESIDENTIAL', 'BUSINESS', 'ENTERPRISE', 'PUBLIC_SECTOR')),
  name text not null check (length(name) between 1 and 200),
  organisation_name text check (length(organisation_name) between 1 and 200),
  email text check (length(email) <= 254),
  phone text check (phone ~ '^\+[0-9]{4,15}$'),
  source text not null check (source in ('EXISTING_CUSTOMER', 'REFERRAL', 'EVENT', 'WEBSITE', 'EMAIL', 'SOCIAL', 'ADVERT', 'COLD_CALL', 'OTHER')),
  monthly_budget_minor bigint check (monthly_budget_minor >= 0),
  currency text check (currency ~ '^[A-Z]{3}$'),
  is_decision_maker boolean,
  need text check (length(need) between 1 and 2000),
  decide_by date,
  priority int not null check (priority between 1 and 5),
  language text,
  owner_id uuid,
  status text not null check (status in ('NEW', 'CONTACTED', 'QUALIFIED', 'DISQUALIFIED')),
  disqualified_for text check (disqualified_for in ('PRICE', 'COVERAGE', 'TIMING', 'COMPETITOR', 'NO_ANSWER', 'OTHER')),
  score int not null check (score between 0 and 100),
  grade text not null check (grade in ('A', 'B', 'C', 'D')),
  score_model_number int not null,
  chain_id uuid not null,
  version int not null default 1,
  created_at timestamptz not null default kernel.now(),
  updated_at timestamptz not null default kernel.now(),
  created_by_id uuid,
  primary key (tenant_id, id),
  unique (tenant_id, number),
  unique (tenant_id, chain_id),
  check ((monthly_budget_minor is null) = (currency is null)),
  check (email is not null or phone is not null),
  check ((status = 'DISQUALIFIED') = (disqualified_for is not null))
);
create index lead_by_age on crm.lead (tenant_id, created_at, id);
create index lead_by_score on crm.lead (tenant_id, score, id);
create index lead_by_owner on crm.lead (tenant_id, owner_id, created_at, id);
call kernel.make_tenanted('crm.lead', true, array['name', 'organisation_name', 'email', 'phone', 'need']);
