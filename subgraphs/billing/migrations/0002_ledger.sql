-- The books. Nothing in them is ever changed or taken away: a mistake is put right by a further transaction.
create table billing.ledger_account (
  tenant_id uuid not null,
  id uuid not null,
  code text not null check (code in ('AR', 'CREDIT', 'BANK', 'REVENUE')),
  kind text not null check (kind in ('ASSET', 'LIABILITY', 'INCOME')),
  customer_id uuid,
  primary key (tenant_id, id),
  constraint ledger_account_code unique nulls not distinct (tenant_id, code, customer_id),
  foreign key (tenant_id, customer_id) references billing.customer (tenant_id, id),
  check ((code in ('AR', 'CREDIT')) = (customer_id is not null))
);
create index ledger_account_customer on billing.ledger_account (tenant_id, customer_id);
call kernel.make_tenanted('billing.ledger_account', false);
call kernel.make_customer_scoped('billing.ledger_account', 'customer_id');

create table billing.posting (
  tenant_id uuid not null,
  id uuid not null,
  transaction_id uuid not null,
  account_id uuid not null,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  amount_minor bigint not null check (amount_minor <> 0),   -- debit is positive
  occurred_at timestamptz not null,
  booked_on date not null,
  fact_type text not null check (fact_type in ('CHARGE', 'PAYMENT')),
  fact_id uuid not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, account_id) references billing.ledger_account (tenant_id, id)
);
create index posting_account on billing.posting (tenant_id, account_id) include (currency, amount_minor);
create index posting_transaction on billing.posting (tenant_id, transaction_id);
create index posting_fact on billing.posting (tenant_id, fact_id);
call kernel.make_tenanted('billing.posting', false);
-- A portal customer sees the postings of the accounts it sees.
create policy customer_rows on billing.posting as restrictive for all to dotmac_tenant_rw
  using ((select kernel.customer_id()) is null or account_id in (select a.id from billing.ledger_account a));

create function billing.refuse_imbalance() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
  if exists (select from billing.posting p
              where p.tenant_id = new.tenant_id and p.transaction_id = new.transaction_id
              group by p.currency having sum(p.amount_minor) <> 0) then
    raise exception 'ledger transaction % does not sum to 0', new.transaction_id using errcode = 'check_violation';
  end if;
  return null;
end $$;
create constraint trigger balanced after insert on billing.posting
  deferrable initially deferred for each row execute function billing.refuse_imbalance();

revoke update, delete on billing.ledger_account, billing.posting from svc_billing;
