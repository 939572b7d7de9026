-- One use, half a minute: what a browser puts into a socket's address, where it can send no token. Only its hash is kept.
create table identity.socket_ticket (
  hash text primary key,
  session_id uuid not null references identity.session (id) on delete cascade,
  membership_id uuid,
  good_until timestamptz not null,
  socket_until timestamptz not null                  -- as long as the session's present access token
);
create index socket_ticket_of_session on identity.socket_ticket (session_id);
