-- Who waits for us, what was said, and what happened. A portal customer's transaction sees the tickets of that customer
-- and their PUBLIC messages, whatever the query asks for.
create table tickets.ticket (
  tenant_id uuid not null,
  id uuid not null,
  number text not null,
  subject text not null check (length(subject) between 1 and 200),
  kind text not null check (kind in ('QUESTION', 'REQUEST', 'INCIDENT')),
  status text not null check (status in ('NEW', 'OPEN', 'WAITING', 'RESOLVED', 'CLOSED', 'CANCELLED')),
  wait_reason text check (wait_reason in ('CUSTOMER', 'VENDOR', 'FIELD_VISIT', 'SCHEDULED')),
  wait_until timestamptz,
  priority text not null check (priority in ('LOW', 'NORMAL', 'HIGH', 'URGENT')),
  channel text not null check (channel in ('PORTAL', 'EMAIL', 'PHONE', 'CHAT', 'STAFF', 'API', 'SYSTEM')),
  customer_id uuid,
  contact_id uuid,
  requester_email text check (length(requester_email) <= 254),
  requester_name text check (length(requester_name) between 1 and 200),
  assignee_id uuid,
  language text,
  external_ref text check (length(external_ref) between 1 and 100),
  follow_up_of_id uuid,
  opened_at timestamptz not null,
  resolved_at timestamptz,
  closed_at timestamptz,
  reopen_count int not null default 0,
  last_message_id uuid not null,
  last_message_at timestamptz not null,
  message_count int not null,
  event_count int not null,
  shown_at timestamptz not null,
  version int not null default 1,
  updated_at timestamptz not null default kernel.now(),
  created_by_id uuid,
  primary key (tenant_id, id),
  unique (tenant_id, number),
  foreign key (tenant_id, follow_up_of_id) references tickets.ticket (tenant_id, id),
  check (requester_name is not null or customer_id is not null),
  check ((status = 'WAITING') = (wait_reason is not null)),
  check (wait_until is null or wait_reason is not null),
  check (wait_reason is distinct from 'SCHEDULED' or wait_until is not null),
  check ((status in ('RESOLVED', 'CLOSED')) = (resolved_at is not null)),
  check ((status = 'CLOSED') = (closed_at is not null))
);
create index ticket_by_age on tickets.ticket (tenant_id, opened_at, id);
create index ticket_by_last_message on tickets.ticket (tenant_id, last_message_at, id);
create index ticket_by_customer on tickets.ticket (tenant_id, customer_id, opened_at, id);
create index ticket_by_assignee on tickets.ticket (tenant_id, assignee_id, opened_at, id);
create index ticket_by_status on tickets.ticket (tenant_id, status, opened_at, id);
call kernel.make_tenanted('tickets.ticket', true, array['subject', 'requester_email', 'requester_name']);
call kernel.make_customer_scoped('tickets.ticket', 'customer_id');

create table tickets.ticket_message (
  tenant_id uuid not null,
  id uuid not null,
  ticket_id uuid not null,
  seq int not null,
  visibility text not null check (visibility in ('PUBLIC', 'INTERNAL')),
  author text not null check (author in ('CUSTOMER', 'STAFF', 'AUTOMATIC', 'SYSTEM')),
  author_id uuid,
  body_text text not null check (length(body_text) between 1 and 100000),
  channel text not null check (channel in ('PORTAL', 'EMAIL', 'PHONE', 'CHAT', 'STAFF', 'API', 'SYSTEM')),
  created_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, ticket_id, seq),
  foreign key (tenant_id, ticket_id) references tickets.ticket (tenant_id, id)
);
call kernel.make_tenanted('tickets.ticket_message', true, array['body_text']);
create policy customer_sees_public on tickets.ticket_message as restrictive for all to dotmac_tenant_rw
  using ((select kernel.customer_id()) is null or (visibility = 'PUBLIC' and exists (
    select from tickets.ticket t where t.tenant_id = ticket_message.tenant_id and t.id = ticket_message.ticket_id
                                   and t.customer_id = (select kernel.customer_id()))));
-- What was said stays said.
revoke update, delete on tickets.ticket_message from svc_tickets;

create table tickets.ticket_event (
  tenant_id uuid not null,
  ticket_id uuid not null,
  seq int not null,
  at timestamptz not null,
  kind text not null check (kind in ('OPENED', 'MESSAGE_POSTED', 'ASSIGNED', 'STATUS_CHANGED', 'PRIORITY_CHANGED')),
  actor_id uuid,
  "from" text,
  "to" text,
  reason text,
  primary key (tenant_id, ticket_id, seq),
  foreign key (tenant_id, ticket_id) references tickets.ticket (tenant_id, id)
);
call kernel.make_tenanted('tickets.ticket_event', false);
-- History is for staff: a customer adds to it by writing, and never reads it.
create policy customer_reads_none on tickets.ticket_event as restrictive for select to dotmac_tenant_rw
  using ((select kernel.customer_id()) is null);
create policy customer_adds_own on tickets.ticket_event as restrictive for insert to dotmac_tenant_rw
  with check ((select kernel.customer_id()) is null or exists (
    select from tickets.ticket t where t.tenant_id = ticket_event.tenant_id and t.id = ticket_event.ticket_id
                                   and t.customer_id = (select kernel.customer_id())));
revoke update, delete on tickets.ticket_event from svc_tickets;

create table tickets.ticket_tag (
  tenant_id uuid not null,
  ticket_id uuid not null,
  tag text not null check (tag ~ '^[a-z0-9-]{1,40}$'),
  primary key (tenant_id, ticket_id, tag),
  foreign key (tenant_id, ticket_id) references tickets.ticket (tenant_id, id)
);
create index ticket_tag_by_tag on tickets.ticket_tag (tenant_id, tag, ticket_id);
call kernel.make_tenanted('tickets.ticket_tag', false);
create policy customer_reads_none on tickets.ticket_tag as restrictive for all to dotmac_tenant_rw
  using ((select kernel.customer_id()) is null);
