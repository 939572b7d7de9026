-- How far a sandbox's clock runs ahead. Nothing else can have an offset; the kernel's copy says the same.
alter table tenancy.tenant add column clock_offset_seconds int not null default 0
  check (clock_offset_seconds >= 0 and (clock_offset_seconds = 0 or kind = 'SANDBOX'));
