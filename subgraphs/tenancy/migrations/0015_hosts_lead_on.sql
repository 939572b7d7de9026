-- Gateways are told, with whose a host is, until when it leads on to the platform's name.
call kernel.make_platform_readable('tenancy.branding');
