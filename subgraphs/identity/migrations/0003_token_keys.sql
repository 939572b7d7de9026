-- The keys access tokens are signed with; a private half is sealed with IDENTITY_DATA_KEY and goes when it is of no use.
create table identity.token_key (
  kid text primary key,
  public_key text not null,
  sealed text,
  state text not null check (state in ('NEXT', 'ACTIVE', 'RETIRING', 'RETIRED')),
  made_at timestamptz not null,
  active_at timestamptz,
  retiring_at timestamptz,
  check ((state = 'RETIRED') = (sealed is null))
);
create unique index one_token_key_of_a_kind on identity.token_key (state) where state in ('NEXT', 'ACTIVE');
