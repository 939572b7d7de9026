-- The provisioning run that asked for the account of an ISP; of several, the last.
alter table billing.customer add column run_id uuid;
create unique index customer_of_run on billing.customer (tenant_id, run_id) where run_id is not null;
