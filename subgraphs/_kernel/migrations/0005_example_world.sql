-- Whether the example world stands here, and whether building it was cut short.
create table kernel.example_world (
  is_only boolean primary key default true check (is_only),
  begun_at timestamptz not null default now(),
  finished_at timestamptz
);
