-- What a customer was asked to pay, what settled it, and what was taken back.
create table billing.invoice (
  tenant_id uuid not null,
  id uuid not null,
  customer_id uuid not null,
  key text not null,                        -- what it is for
  asked_seq bigint not null,                -- where in the log it was asked for
  number text not null,
  status text not null check (status in ('ISSUED', 'PAID', 'VOID')),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  issued_at timestamptz not null,
  due_on date not null,
  late_from timestamptz not null,           -- the local midnight that ends the day it is due on
  total_minor bigint not null check (total_minor between 0 and 100000000000000000),
  open_minor bigint not null check (open_minor between 0 and total_minor),
  overdue_since timestamptz,
  "references" jsonb not null,
  licensed_tenant_id uuid,                  -- whose clock it lives on, where the customer is a tenant
  primary key (tenant_id, id),
  constraint invoice_number unique (tenant_id, number),
  foreign key (tenant_id, customer_id) references billing.customer (tenant_id, id),
  check ((status = 'ISSUED') = (open_minor > 0)),
  check (overdue_since is null or status = 'ISSUED')
);
create unique index invoice_key on billing.invoice (tenant_id, key) where status <> 'VOID';
create index invoice_customer on billing.invoice (tenant_id, customer_id, id);
create index invoice_open on billing.invoice (tenant_id, customer_id, due_on) where status = 'ISSUED';
create index invoice_not_late on billing.invoice (tenant_id, late_from) where status = 'ISSUED' and overdue_since is null;
call kernel.make_tenanted('billing.invoice');
call kernel.make_customer_scoped('billing.invoice', 'customer_id');
-- A document stays as it was issued; what moves is what became of it.
revoke update, delete on billing.invoice from svc_billing;
grant update (status, open_minor, overdue_since) on billing.invoice to svc_billing;

-- The sweep for what is overdue looks across tenants, at no more than that needs.
create policy platform_reads on billing.invoice as permissive for select to dotmac_platform using (true);
grant usage on schema billing to dotmac_platform;
grant select (tenant_id, id, customer_id, status, late_from, overdue_since, licensed_tenant_id) on billing.invoice to dotmac_platform;
create view billing.tenant_clock with (security_invoker = true) as
  select p.tenant_id as clock_tenant_id, p.kind = 'SANDBOX' as is_sandbox, p.clock_offset_seconds as offset_seconds
    from kernel.tenant_profile p;
create view billing.late_invoice with (security_invoker = true) as
  select i.tenant_id as billing_tenant_id, i.id, i.customer_id, i.late_from
    from billing.invoice i left join billing.tenant_clock c on c.clock_tenant_id = coalesce(i.licensed_tenant_id, i.tenant_id)
   where i.status = 'ISSUED' and i.overdue_since is null
     and i.late_from <= now() + make_interval(secs => coalesce(c.offset_seconds, 0));
revoke insert, update, delete on billing.tenant_clock, billing.late_invoice from svc_billing;
grant select on billing.tenant_clock, billing.late_invoice to dotmac_platform;

alter table billing.charge
  add column invoice_id uuid,
  add column license_id uuid,
  add column asked_seq bigint,
  add constraint charge_invoice foreign key (tenant_id, invoice_id) references billing.invoice (tenant_id, id)
    deferrable initially deferred;
create index charge_of_invoice on billing.charge (tenant_id, invoice_id);

-- Money that can settle invoices. That of a payment has the payment's id.
create table billing.credit (
  tenant_id uuid not null,
  id uuid not null,
  customer_id uuid not null,
  source text not null check (source in ('PAYMENT', 'LICENSE')),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  amount_minor bigint not null check (amount_minor between 1 and 100000000000000000),
  remaining_minor bigint not null check (remaining_minor between 0 and amount_minor),
  created_at timestamptz not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, customer_id) references billing.customer (tenant_id, id)
);
create index credit_left on billing.credit (tenant_id, customer_id, created_at) where remaining_minor > 0;
call kernel.make_tenanted('billing.credit');
call kernel.make_customer_scoped('billing.credit', 'customer_id');
revoke update, delete on billing.credit from svc_billing;
grant update (remaining_minor) on billing.credit to svc_billing;

create table billing.credit_application (
  tenant_id uuid not null,
  id uuid not null,
  customer_id uuid not null,
  credit_id uuid not null,
  invoice_id uuid not null,
  amount_minor bigint not null check (amount_minor > 0),
  applied_at timestamptz not null,
  reversed_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, customer_id) references billing.customer (tenant_id, id),
  foreign key (tenant_id, credit_id) references billing.credit (tenant_id, id),
  foreign key (tenant_id, invoice_id) references billing.invoice (tenant_id, id)
);
create index credit_application_credit on billing.credit_application (tenant_id, credit_id) where reversed_at is null;
create index credit_application_invoice on billing.credit_application (tenant_id, invoice_id) where reversed_at is null;
call kernel.make_tenanted('billing.credit_application');
call kernel.make_customer_scoped('billing.credit_application', 'customer_id');
revoke update, delete on billing.credit_application from svc_billing;
grant update (reversed_at) on billing.credit_application to svc_billing;

-- Money that was recorded before there were invoices can settle them too.
insert into billing.credit (tenant_id, id, customer_id, source, currency, amount_minor, remaining_minor, created_at)
  select tenant_id, id, customer_id, 'PAYMENT', currency, amount_minor, amount_minor, created_at from billing.payment;

create table billing.chargeback (
  tenant_id uuid not null,
  id uuid not null,
  payment_id uuid not null,
  customer_id uuid not null,
  reason text not null check (length(reason) between 1 and 200),
  amount_minor bigint not null check (amount_minor > 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  created_at timestamptz not null,
  primary key (tenant_id, id),
  constraint chargeback_payment unique (tenant_id, payment_id),
  foreign key (tenant_id, payment_id) references billing.payment (tenant_id, id),
  foreign key (tenant_id, customer_id) references billing.customer (tenant_id, id)
);
call kernel.make_tenanted('billing.chargeback');
call kernel.make_customer_scoped('billing.chargeback', 'customer_id');
revoke update, delete on billing.chargeback from svc_billing;

alter table billing.payment drop constraint payment_status_check,
  add constraint payment_status_check check (status in ('SUCCEEDED', 'REVERSED'));
grant update (status) on billing.payment to svc_billing;

alter table billing.posting drop constraint posting_fact_type_check,
  add constraint posting_fact_type_check
    check (fact_type in ('CHARGE', 'PAYMENT', 'APPLICATION', 'CREDIT', 'VOID', 'CHARGEBACK'));
