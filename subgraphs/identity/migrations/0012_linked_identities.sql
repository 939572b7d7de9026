-- Accounts at other providers that people sign in with. Who has linked one is known by issuer and subject, never by mail.
create table identity.linked_identity (
  id uuid primary key,
  user_id uuid not null references identity.user (id),
  provider text not null check (provider in ('GOOGLE', 'GITHUB', 'MICROSOFT', 'SSO')),
  issuer text not null check (length(issuer) between 1 and 500),
  subject text not null check (length(subject) between 1 and 255),
  linked_at timestamptz not null,
  unique (issuer, subject)
);
create index linked_identity_of_user on identity.linked_identity (user_id);

-- Somebody who has gone to another provider and is to come back: first with our state, then with a code of one minute. Of
-- both only the hash is kept, and nonce and verifier for the provider are computed from the state.
create table identity.provider_visit (
  id uuid primary key,
  state_hash text not null unique,
  connection text not null,                          -- google, microsoft, github, or a tenant's connection
  connection_version int,
  home_id uuid,
  intent text not null check (intent in ('SIGN_IN', 'LINK')),
  session_id uuid references identity.session (id) on delete cascade,
  return_to text not null check (length(return_to) <= 2000),
  code_challenge text not null,
  transport text not null check (transport in ('COOKIE', 'BODY')),
  tenant text,                                       -- slug to begin in
  is_back boolean not null default false,
  code_hash text unique,
  issuer text,
  subject text,
  email text,
  is_email_verified boolean not null default false,
  has_second_factor boolean not null default false,
  groups text[] not null default '{}',
  expires_at timestamptz not null,
  check ((code_hash is null) = (issuer is null)),
  check ((issuer is null) = (subject is null)),
  check (intent <> 'LINK' or session_id is not null)
);
create index provider_visit_until on identity.provider_visit (expires_at);
create index provider_visit_of_session on identity.provider_visit (session_id);

-- The subscribers of an ISP that is deleted leave nothing behind.
call kernel.goes_with_tenant('identity.linked_identity',
  'user_id in (select u.id from identity.user u where u.realm = kernel.tenant_id()::text)');
call kernel.goes_with_tenant('identity.provider_visit', 'home_id = kernel.tenant_id()');
