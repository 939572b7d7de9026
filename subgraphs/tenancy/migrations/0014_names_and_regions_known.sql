-- What the tenants here are called and where they lie, for whoever reads the kernel's copy.
update kernel.tenant_profile p set name = t.name from tenancy.tenant t where t.tenant_id = p.tenant_id;
update kernel.tenant_profile p set region = l.region from tenancy.placement l where l.tenant_id = p.tenant_id;
