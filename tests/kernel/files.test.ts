import {
  deleteAllFiles,
  deleteFile,
  getFile,
  putFile,
  readFileLink,
  readFilePart,
  signFile,
  useFileLink,
} from '../../subgraphs/_kernel/files.ts';
import { INGRID, openWorld, type World, WREN } from '../setup/world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

const inKestrel = () => world.context(WREN, 'tenancy');
const inNorthwind = () => world.context(INGRID, 'tenancy');
const tokenOf = (link: string) => new URL(link).pathname.replace('/files/', '');

test('a file is kept, replaced, read in parts and deleted', async () => {
  const ctx = await inKestrel();
  const stored = await putFile(ctx, 'logos/light.png', 'first');
  expect(stored).toEqual({
    name: 'logos/light.png',
    bytes: 5,
    sha256: 'a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e',
  });
  expect((await putFile(ctx, 'logos/light.png', 'second')).bytes).toBe(6);
  expect(String(await getFile(ctx, 'logos/light.png'))).toBe('second');
  expect(String(await readFilePart(ctx, 'logos/light.png', 2, 3))).toBe('con');
  await deleteFile(ctx, 'logos/light.png');
  await deleteFile(ctx, 'logos/light.png');
  expect(await getFile(ctx, 'logos/light.png')).toBeNull();
  expect(await readFilePart(ctx, 'logos/light.png', 0, 1)).toBeNull();
});

test('a tenant’s files are its own, and go together', async () => {
  const [kestrel, northwind] = [await inKestrel(), await inNorthwind()];
  await putFile(kestrel, 'a', 'of kestrel');
  await putFile(northwind, 'a', 'of northwind');
  await deleteAllFiles(kestrel);
  expect(await getFile(kestrel, 'a')).toBeNull();
  expect(String(await getFile(northwind, 'a'))).toBe('of northwind');
});

test.each([
  '../a',
  'a/../b',
  '/etc/passwd',
  'a//b',
  '.a',
  'a/.b',
  'a\0',
  '',
])('a name that leads elsewhere is none: %j', async (name) => {
  await expect(getFile(await inKestrel(), name)).rejects.toThrow('This is no name of a file.');
});

test('a link says what it was signed for until it ends, and nothing when a letter is another', async () => {
  const ctx = await inKestrel();
  const endsAt = new Date(Date.now() + 60_000);
  const token = tokenOf(signFile(ctx, 'a', { type: 'image/png', endsAt }));
  expect(readFileLink(world.config, token, Date.now())).toEqual({
    tenantId: ctx.tenantId,
    name: 'a',
    type: 'image/png',
    endsAt: endsAt.getTime(),
  });
  expect(readFileLink(world.config, token, endsAt.getTime())).toBeNull();
  for (const at of [0, 10, token.length - 10]) {
    const forged = token.slice(0, at) + (token[at] === 'x' ? 'y' : 'x') + token.slice(at + 1);
    expect(readFileLink(world.config, forged, Date.now())).toBeNull();
  }
  expect(readFileLink(world.config, 'nonsense', Date.now())).toBeNull();
});

test('a link of one use opens once', async () => {
  const ctx = await inKestrel();
  const signed = signFile(ctx, 'a', { type: 'text/plain', endsAt: new Date(Date.now() + 60_000), isOnce: true });
  const link = readFileLink(world.config, tokenOf(signed), Date.now());
  const use = () => ctx.tx((em) => useFileLink(em, link as NonNullable<typeof link>));
  expect([await use(), await use(), await use()]).toEqual([true, false, false]);
});
