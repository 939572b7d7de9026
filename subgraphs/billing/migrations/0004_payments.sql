create table billing.payment (
  tenant_id uuid not null,
  id uuid not null,
  customer_id uuid not null,
  status text not null check (status in ('SUCCEEDED')),
  amount_minor bigint not null check (amount_minor between 1 and 100000000000000000),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  method text not null check (method in ('CASH', 'BANK_TRANSFER', 'CHEQUE')),
  received_on date not null,
  reference text check (length(reference) between 1 and 140),
  idempotency_key text not null,
  request_hash text not null,
  created_at timestamptz not null,
  primary key (tenant_id, id),
  constraint payment_idempotency_key unique (tenant_id, idempotency_key),
  foreign key (tenant_id, customer_id) references billing.customer (tenant_id, id)
);
create index payment_customer on billing.payment (tenant_id, customer_id, id);
call kernel.make_tenanted('billing.payment');
call kernel.make_customer_scoped('billing.payment', 'customer_id');
revoke update, delete on billing.payment from svc_billing;
