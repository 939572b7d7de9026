-- A session holds no token: refresh tokens are computed from its id and generation.
create table identity.session (
  id uuid primary key,
  user_id uuid not null references identity.user (id),
  home_id uuid,
  membership_id uuid,
  methods text[] not null,
  strong_at timestamptz,
  generation int not null check (generation >= 1),
  rotated_at timestamptz not null,
  transport text not null check (transport in ('COOKIE', 'BODY')),
  address text,
  started_at timestamptz not null,
  last_used_at timestamptz not null,
  idle_until timestamptz not null,
  ends_at timestamptz not null,
  ended_at timestamptz,
  end_reason text,
  check ((home_id is null) = (membership_id is null)),
  check ((ended_at is null) = (end_reason is null)),
  check (idle_until <= ends_at),
  foreign key (home_id, membership_id) references identity.membership (tenant_id, id)
);
create index session_of_user on identity.session (user_id, last_used_at);
create index open_session_of_membership on identity.session (membership_id) where end_reason is null;

-- Attempts per mail and per address, under keyed hashes; unknown mails are counted like known ones.
create table identity.sign_in_bucket (
  key text primary key,
  failures int not null default 0 check (failures >= 0),
  first_at timestamptz,
  last_at timestamptz,
  locked_until timestamptz,
  locks int not null default 0 check (locks >= 0)
);

create table identity.sign_in_record (
  id uuid primary key,
  at timestamptz not null default now(),
  user_id uuid,
  mail_hash text,                                    -- keyed, and only where no user is known
  home_id uuid,
  membership_id uuid,
  session_id uuid,
  outcome text not null check (outcome in ('OK', 'BAD_SECRET', 'LOCKED', 'NO_TENANT', 'REUSED')),
  method text not null,
  address text,
  check (user_id is null or mail_hash is null)
);
create index sign_in_of_membership on identity.sign_in_record (membership_id, at) where outcome = 'OK';
-- What happened stays as it was written.
revoke update, delete on identity.sign_in_record from svc_identity;
