import { open, seal } from '../../subgraphs/_kernel/secrets.ts';
import { INGRID, openWorld, type World, WREN } from '../setup/world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

const sealed = async (name: string, plain: string) => {
  const ctx = await world.context(WREN, 'identity');
  return ctx.tx((em) => seal(ctx, em, name, plain));
};
const opened = async (name: string, text: string, who = WREN) => {
  const ctx = await world.context(who, 'identity');
  return ctx.tx(async (em) => String(await open(ctx, em, name, text)));
};

test('what is sealed opens under its name in its tenant, and reads like nothing before', async () => {
  const text = await sealed('connection:1', 'hunter2');
  expect(text).not.toContain('hunter2');
  expect(await opened('connection:1', text)).toBe('hunter2');
  expect(await sealed('connection:1', 'hunter2')).not.toBe(text);
});

test('under another name, in another tenant or with a letter changed it does not open', async () => {
  const text = await sealed('connection:1', 'hunter2');
  const ctx = await world.context(INGRID, 'identity');
  await ctx.tx((em) => seal(ctx, em, 'connection:1', 'theirs'));
  await expect(opened('connection:2', text)).rejects.toThrow();
  await expect(opened('connection:1', text, INGRID)).rejects.toThrow();
  await expect(opened('connection:1', `A${text.slice(1)}`.replace(/^AA/, 'AB'))).rejects.toThrow();
});

test('two who seal first at once use one key', async () => {
  await world.sql('delete from kernel.data_key');
  const texts = await Promise.all(['a', 'b', 'c'].map((plain) => sealed('x', plain)));
  expect(await Promise.all(texts.map((text) => opened('x', text)))).toEqual(['a', 'b', 'c']);
});

test('once a tenant’s key is destroyed nothing it sealed can be read', async () => {
  const text = await sealed('x', 'gone');
  await world.sql('delete from kernel.data_key');
  await expect(opened('x', text)).rejects.toThrow('no data key');
  await sealed('x', 'a new key');
  await expect(opened('x', text)).rejects.toThrow();
});
