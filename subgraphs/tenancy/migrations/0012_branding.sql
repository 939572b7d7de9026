-- How a tenant looks to its subscribers. A tenant that changed nothing has no row. The second half is shown while the
-- licence holds the white label, and kept while it does not.
create table tenancy.branding (
  tenant_id uuid not null,
  id uuid not null check (id = tenant_id),
  version int not null check (version >= 1),
  display_name text,
  logo_light text,          -- names of images
  logo_dark text,
  primary_color text,
  support_email text,
  support_phone text,
  terms_url text,
  privacy_url text,
  imprint_url text,
  favicon text,
  font text,
  secondary_color text,
  accent_color text,
  background_color text,
  text_color text,
  sender_name text,
  hide_powered_by boolean not null default false,
  white_label_ended_at timestamptz,
  primary key (tenant_id, id)
);
call kernel.make_tenanted('tenancy.branding');

-- The pictures of it, by their hash: what has another content has another name.
create table tenancy.brand_image (
  tenant_id uuid not null,
  id text not null check (id ~ '^[0-9a-f]{64}\.(png|webp)$'),
  content bytea not null check (length(content) <= 524288),
  primary key (tenant_id, id)
);
call kernel.make_tenanted('tenancy.brand_image', true, '{content}');
