-- How far gateways have heard is kept for all feeds alike, by the kernel.
drop table licensing.gateway_node;
