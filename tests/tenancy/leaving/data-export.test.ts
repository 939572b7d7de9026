import { randomUUID } from 'node:crypto';
import { systemContext } from '../../../subgraphs/_kernel/context.ts';
import { PLATFORM_TENANT } from '../../../subgraphs/_kernel/db.ts';
import { getFile } from '../../../subgraphs/_kernel/files.ts';
import { SEED_TENANTS, seedId } from '../../../subgraphs/_kernel/seed-world.ts';
import { expireExports } from '../../../subgraphs/tenancy/leaving/data-export.service.ts';
import { BRUNO, INGRID, openWorld, SAMIRA, type World, WREN } from '../../setup/world.ts';

const REQUEST = `mutation($input: DataExportInput!) { requestDataExport(input: $input) {
  dataExport { id state domains } userErrors { code message field } } }`;
const READ = 'query($id: ID!) { dataExport(id: $id) { state domains manifest { domain noun link } } }';

interface Shown {
  state: string;
  domains: string[];
  manifest: { domain: string; noun: string; link: string }[];
}

describe('An export of a tenant’s data', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world?.close());

  const request = async (who = WREN, input: object = {}) =>
    (await world.ask(who, 'tenancy', REQUEST, { input })).data?.requestDataExport as {
      dataExport: { id: string; domains: string[] } | null;
      userErrors: { code: string; field: string | null }[];
    };
  const read = async (id: string, who = WREN) =>
    (await world.ask(who, 'tenancy', READ, { id })).data?.dataExport as Shown | null;
  const sweep = async () => {
    const platform = await systemContext(world.subgraph('tenancy').machinery, PLATFORM_TENANT);
    await expireExports(platform);
    await platform.end();
  };

  test('holds the domains that were named, and what the others wrote meanwhile is gone', async () => {
    const { dataExport, userErrors } = await request(WREN, { domains: ['crm', 'billing'] });
    expect(userErrors).toEqual([]);
    await world.untilNoJobs();
    const shown = await read(String(dataExport?.id));
    expect(shown?.state).toBe('READY');
    expect([...new Set(shown?.manifest.map(({ domain }) => domain))].sort()).toEqual(['billing', 'crm']);
    const ctx = await world.context(WREN, 'tenancy');
    const folder = `exports/${dataExport?.id}`;
    expect(await getFile(ctx, `${folder}/billing.customer.jsonl`)).not.toBeNull();
    expect(await getFile(ctx, `${folder}/tickets.ticket.jsonl`)).toBeNull();
  });

  test.each([[['radius']], [[]], [['crm', 'CRM']]])('of %j is refused', async (domains) => {
    expect((await request(WREN, { domains })).userErrors).toMatchObject([{ code: 'INVALID', field: 'domains' }]);
  });

  test('is for those who may ask for it; another tenant’s is as unknown as a random one', async () => {
    const { errors } = await world.ask(SAMIRA, 'tenancy', REQUEST, { input: {} });
    expect(errors?.[0]?.extensions?.code).toBe('FORBIDDEN');
    const { dataExport } = await request(INGRID);
    await world.untilNoJobs();
    const id = String(dataExport?.id);
    expect(await read(id, INGRID)).toMatchObject({ state: 'READY' });
    for (const foreign of [id, randomUUID(), 'nonsense']) expect(await read(foreign, BRUNO)).toBeNull();
  });

  test('holds no row of another tenant', async () => {
    const { dataExport } = await request(BRUNO);
    await world.untilNoJobs();
    const ctx = await world.context(BRUNO, 'tenancy');
    const shown = await read(String(dataExport?.id), BRUNO);
    expect(shown?.manifest.length).toBeGreaterThan(15);
    for (const { domain, noun } of shown?.manifest ?? []) {
      const text = String(await getFile(ctx, `exports/${dataExport?.id}/${domain}.${noun}.jsonl`));
      expect(text).not.toMatch(/CANARY-(KESTREL|NORTHWIND|HARBOUR|PLATFORM)/);
      expect(text).not.toMatch(/argon2id/);
      for (const line of text.trimEnd().split('\n')) {
        const { tenant_id, realm, home_id } = JSON.parse(line);
        expect(tenant_id ?? realm ?? home_id).toBe(seedId(SEED_TENANTS.atlas));
      }
    }
  });

  test('is gone after seven days, files and all; one that some domain never answers has failed after a day', async () => {
    const { dataExport } = await request(WREN);
    await world.untilNoJobs();
    const id = String(dataExport?.id);
    const ctx = await world.context(WREN, 'tenancy');
    const name = `exports/${id}/billing.customer.jsonl`;
    await sweep();
    expect((await read(id))?.state).toBe('READY');
    const kestrel = `select set_config('app.tenant_id', '${ctx.tenantId}', false);`;
    await world.sql(`${kestrel} update tenancy.data_export set expires_at = now() where id = '${id}'`);
    expect(await getFile(ctx, name)).not.toBeNull();
    await sweep();
    expect(await read(id)).toMatchObject({ state: 'EXPIRED', manifest: [] });
    expect(await getFile(ctx, name)).toBeNull();

    await world.sql("delete from kernel.reaction where task = 'crm.answerExport'");
    const silent = String((await request(WREN)).dataExport?.id);
    await world.untilNoJobs();
    expect((await read(silent))?.state).toBe('RUNNING');
    expect((await request(WREN)).userErrors).toMatchObject([{ code: 'CONFLICT' }]);
    await world.sql(
      `${kestrel} update tenancy.data_export set requested_at = now() - interval '25 hours' where id = '${silent}'`,
    );
    await sweep();
    expect((await read(silent))?.state).toBe('FAILED');
    expect((await request(WREN)).userErrors).toEqual([]);
  });
});
