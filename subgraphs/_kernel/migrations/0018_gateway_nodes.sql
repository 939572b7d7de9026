-- How far each gateway has heard each of its feeds. A gateway that holds several copies of one feed is several nodes.
create table kernel.gateway_node (
  feed text not null,
  node_id text not null check (length(node_id) between 1 and 100),
  held_seq bigint not null,
  confirmed_at timestamptz not null,
  primary key (feed, node_id)
);
grant select on kernel.gateway_node to dotmac_platform;
grant select, insert, update, delete on kernel.gateway_node to dotmac_kernel;

-- Notes how far a node has heard. Each start of a gateway makes a new one, so a new one is when the gone are forgotten.
create function kernel.confirm_feed(told_feed text, told_node text, told_seq bigint) returns void
language plpgsql security definer set search_path = pg_catalog as $$
begin
  update kernel.gateway_node set held_seq = told_seq, confirmed_at = clock_timestamp()
   where feed = told_feed and node_id = left(told_node, 100);
  if found then return; end if;
  delete from kernel.gateway_node where confirmed_at < now() - interval '1 day';
  insert into kernel.gateway_node (feed, node_id, held_seq, confirmed_at)
  values (told_feed, left(told_node, 100), told_seq, clock_timestamp())
  on conflict (feed, node_id) do update set held_seq = excluded.held_seq, confirmed_at = excluded.confirmed_at;
end $$;
revoke all on function kernel.confirm_feed from public;
grant execute on function kernel.confirm_feed to dotmac_tenant_rw;
grant create on schema kernel to dotmac_kernel;
alter function kernel.confirm_feed owner to dotmac_kernel;
revoke create on schema kernel from dotmac_kernel;
