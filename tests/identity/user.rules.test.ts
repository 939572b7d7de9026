import fc from 'fast-check';
import { isId } from '../../schema/ids.ts';
import { isPlain } from '../../schema/words.ts';
import { checkDisplayName, normalEmail } from '../../subgraphs/identity/user.rules.ts';

describe('A mail address', () => {
  test.each([
    ['Ada@Kestrel.Example', 'ada@kestrel.example'],
    ['  wren@kestrel.example ', 'wren@kestrel.example'],
    ['jörg@köln.example', 'jörg@xn--kln-sna.example'],
    ['jo\u0308rg@ko\u0308ln.example', 'jörg@xn--kln-sna.example'],
  ])('%j is kept as %s', (given, kept) => {
    expect(normalEmail(given)).toBe(kept);
  });

  test.each([
    '',
    'ada',
    'ada@',
    '@x.example',
    'a b@x.example',
    'ada@x@y',
    'ada@x.example/y',
    'ada@x:25',
    'ada@\0',
    'ada\0@x.example',
    '\ud800@x.example',
    `${'a'.repeat(65)}@x.example`,
  ])('%j is none', (text) => {
    expect(normalEmail(text)).toBeNull();
  });

  test('is the same when it is written down again', () => {
    fc.assert(
      fc.property(fc.emailAddress(), (email) => {
        const kept = normalEmail(email);
        if (kept !== null) expect(normalEmail(kept)).toBe(kept);
      }),
    );
  });
});

test('What cannot be an id is answered like an unknown one', () => {
  expect(isId('01990000-0000-7000-8000-000000006011')).toBe(true);
  for (const junk of ['', 'null', '01990000', "'; drop table", '01990000-0000-7000-8000-00000000601g'])
    expect(isId(junk)).toBe(false);
});

test('A name is trimmed, and not empty, endless or unwritable', () => {
  expect(checkDisplayName('  Tomás Rivera ')).toBe('Tomás Rivera');
  for (const name of ['', ' ', 'x'.repeat(121), 'a\0b'])
    expect(() => checkDisplayName(name)).toThrow('A name has 1 to 120 characters.');
  expect(isPlain('a\ud800')).toBe(false);
});
