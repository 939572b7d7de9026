-- What somebody proves beside their password. People stand above tenants, and so do these.

create table identity.second_factor (
  user_id uuid not null references identity.user (id),
  state text not null check (state in ('PENDING', 'ACTIVE')),
  sealed text not null,                              -- the TOTP secret, sealed with IDENTITY_DATA_KEY
  last_step bigint,                                  -- of the code used last: none before it opens anything again
  made_at timestamptz not null,
  primary key (user_id, state)                       -- a new app is PENDING beside the one it replaces
);

create table identity.recovery_code (
  user_id uuid not null references identity.user (id),
  hash text not null,
  used_at timestamptz,
  primary key (user_id, hash)
);

create table identity.passkey (
  id uuid primary key,
  user_id uuid not null references identity.user (id),
  credential_id text not null unique,
  public_key text not null,                          -- COSE, base64url
  counter bigint not null check (counter >= 0),
  transports text[] not null,
  name text not null check (length(name) between 1 and 60),
  host text not null,                                -- the portal it was made at; it works there alone
  made_at timestamptz not null,
  last_used_at timestamptz
);
create index passkey_of_user on identity.passkey (user_id);

-- What a half-finished sign-in, step-up or registration holds. Only the token's hash is kept; using it deletes the row.
create table identity.challenge (
  hash text primary key,
  purpose text not null check (purpose in ('SIGN_IN', 'SWITCH', 'STEP_UP', 'REGISTER')),
  user_id uuid references identity.user (id),        -- none yet where a passkey is to say who it is
  session_id uuid references identity.session (id) on delete cascade,
  home_id uuid,                                      -- the tenant a switch goes to
  membership_id uuid,
  methods text[] not null,                           -- proved so far
  answers text[] not null,                           -- what will do
  realm text,
  tenant text,                                       -- slug that was asked for
  transport text,
  origin text not null,                              -- of the portal: a passkey answers for it alone
  nonce text not null,                               -- what a passkey signs
  tries int not null default 0,
  expires_at timestamptz not null,
  check ((purpose = 'SIGN_IN') = (transport is not null)),
  check ((purpose = 'SIGN_IN') = (session_id is null))
);
create index challenge_of_user on identity.challenge (user_id);

-- A reset of somebody's second factors that one person of the platform asked for and another has to ask for as well.
create table identity.factor_reset (
  user_id uuid primary key references identity.user (id),
  asked_by uuid not null references identity.user (id),
  asked_at timestamptz not null
);

-- What the person must do before anything else; the gateway's copy of the session says it.
alter table identity.session add column must_do text[] not null default '{}';

alter table identity.sign_in_record drop constraint sign_in_record_outcome_check;
alter table identity.sign_in_record add constraint sign_in_record_outcome_check check (
  outcome in ('OK', 'BAD_SECRET', 'LOCKED', 'BAD_FACTOR', 'NO_TENANT', 'POLICY', 'PROVIDER', 'REUSED'));
