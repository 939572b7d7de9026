import fc from 'fast-check';
import {
  checkTimeZone,
  emailAddress,
  expectVersion,
  isPlain,
  languageTag,
  optionalText,
  text,
} from '../../schema/words.ts';

const invalid = (field: string) => expect.objectContaining({ code: 'INVALID', field });

describe('what people type', () => {
  test('a text is kept in NFC without the blanks around it', () => {
    expect(text('  Zoe\u0301  ', 10, 'name')).toBe('Zoé');
  });

  test.each([
    ['nothing', ''],
    ['blanks', '   '],
    ['one letter too many', 'x'.repeat(201)],
    ['NUL', 'a\0b'],
    ['half a letter', 'a\ud83d'],
  ])('%s is refused with its field', (_, typed) => {
    expect(() => text(typed, 200, 'name')).toThrow(expect.objectContaining({ code: 'INVALID', field: 'name' }));
  });

  test('letters are counted as people count them, not in bytes', () => {
    expect(text('😀'.repeat(200), 200, 'name')).toHaveLength(400);
  });

  test('the sentence says what it is about and how long it may be', () => {
    const name = { name: 'A name', min: 2 };
    expect(() => text('x', 120, 'name', name)).toThrow('A name has 2 to 120 characters.');
    expect(() => optionalText('x'.repeat(141), 140, 'reference', { name: 'A reference' })).toThrow(
      'A reference has at most 140 characters.',
    );
    expect(() => text('a\0b', 120, 'name', name)).toThrow('NUL and half of a character are none.');
  });

  test('NUL and half of a surrogate pair are no text', () => {
    expect(['a', 'Zoé 😀', 'a\0b', 'a\ud83d', '\ude00'].map(isPlain)).toEqual([true, true, false, false, false]);
  });

  test('a text that may be missing is null when only blanks were typed', () => {
    expect(optionalText('  ', 10, 'note')).toBeNull();
    expect(optionalText(undefined, 10, 'note')).toBeNull();
  });

  test('what was accepted once is accepted again unchanged', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 50, unit: 'grapheme' }), (typed) => {
        fc.pre(typed.trim() !== '' && !typed.includes('\0'));
        const kept = text(typed, 2_000, 'x');
        expect(text(kept, 2_000, 'x')).toBe(kept);
      }),
    );
  });

  test('a language is spelled as BCP 47 spells it', () => {
    expect(languageTag('PT-br')).toBe('pt-BR');
    expect(languageTag(null)).toBeNull();
    expect(languageTag('de-de', 'locale')).toBe('de-DE');
    expect(() => languageTag('german!', 'locale')).toThrow('A locale is a BCP 47 tag, such as de-DE.');
    expect(() => languageTag('german!')).toThrow(expect.objectContaining({ code: 'INVALID', field: 'language' }));
  });

  test('a zone has an IANA name', () => {
    for (const zone of ['Europe/Berlin', null, undefined]) expect(() => checkTimeZone(zone, 'zone')).not.toThrow();
    for (const zone of ['+01:00', 'Berlin', '']) expect(() => checkTimeZone(zone, 'zone')).toThrow(invalid('zone'));
  });

  test('a change of an older state is a conflict', () => {
    expect(() => expectVersion(3, 2, 'lead')).toThrow('Someone changed this lead meanwhile.');
    expect(() => expectVersion(3, 3, 'lead')).not.toThrow();
  });
});

describe('e-mail addresses', () => {
  test.each([
    ['Ada.Lovelace+isp@Example.COM', 'Ada.Lovelace+isp@example.com'],
    ['lena@müller.example', 'lena@xn--mller-kva.example'],
    [' ada@example.com ', 'ada@example.com'],
    ['jürgen@example.com', 'jürgen@example.com'],
  ])('%s is kept as %s', (typed, kept) => {
    expect(emailAddress(typed)).toBe(kept);
  });

  test.each([
    'x@',
    '@x.de',
    'ada',
    'ada@localhost',
    'a b@example.com',
    'ada@exa mple.com',
    'ada..b@example.com',
    '.ada@example.com',
    'ada@1.2.3.4',
    'a\0b@example.com',
    'a@b@example.com',
  ])('%s is none', (typed) => {
    expect(() => emailAddress(typed)).toThrow(invalid('email'));
  });

  test('64 octets before the sign and 254 in all are the most', () => {
    expect(emailAddress(`${'a'.repeat(64)}@example.com`)).toHaveLength(76);
    expect(() => emailAddress(`${'a'.repeat(65)}@example.com`)).toThrow(invalid('email'));
    expect(() => emailAddress(`${'ü'.repeat(33)}@example.com`)).toThrow(invalid('email'));
    const long = `${`${'a'.repeat(60)}.`.repeat(3)}example`;
    expect(() => emailAddress(`${'a'.repeat(64)}@${long}`)).toThrow(invalid('email'));
  });

  test('what was accepted once is accepted again unchanged', () => {
    fc.assert(
      fc.property(fc.emailAddress(), (typed) => {
        let kept: string;
        try {
          kept = emailAddress(typed);
        } catch {
          return;
        }
        expect(emailAddress(kept)).toBe(kept);
      }),
    );
  });
});
