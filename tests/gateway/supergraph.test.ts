import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { openGatewayWorld } from '../setup/gateway.ts';

test('a new supergraph takes over between two requests, and a broken one is refused while the last good one stays', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'dotmac-supergraph-'));
  const file = join(dir, 'supergraph.graphql');
  copyFileSync(resolve(import.meta.dirname, '../../schema/supergraph.graphql'), file);
  const { client, gateway, password, close } = await openGatewayWorld({ SUPERGRAPH_FILE: file });
  try {
    const wren = await client.signIn('wren@kestrel.example', password);
    expect((await wren.ask('{ tenant { slug } }')).data).toEqual({ tenant: { slug: 'kestrel' } });

    writeFileSync(file, 'type Query { broken');
    expect(await gateway.reload()).toBe(false);
    expect((await wren.ask('{ tenant { slug } }')).status).toBe(200);

    const good = readFileSync(resolve(import.meta.dirname, '../../schema/supergraph.graphql'), 'utf8');
    writeFileSync(file, good.replace('Its short name in addresses', 'Its new short name in addresses'));
    let isDone = false;
    const asking = (async () => {
      const statuses = new Set<number>();
      do statuses.add((await wren.ask('{ tenant { slug } }')).status);
      while (!isDone);
      return statuses;
    })();
    expect(await gateway.reload()).toBe(true);
    isDone = true;
    expect([...(await asking)]).toEqual([200]);
    const { data } = await wren.ask<{ __type: { fields: { name: string; description: string }[] } }, object>(
      '{ __type(name: "Tenant") { fields { name description } } }',
    );
    expect(data?.__type.fields.find(({ name }) => name === 'slug')?.description).toContain('Its new short name');
  } finally {
    await close();
    rmSync(dir, { recursive: true, force: true });
  }
}, 60_000);
