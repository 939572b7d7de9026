import fc from 'fast-check';
import { expectVersion, languageTag, optionalText, text } from '../../subgraphs/crm/words.rules.ts';

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
    expect(() => languageTag('german!')).toThrow(expect.objectContaining({ code: 'INVALID', field: 'language' }));
  });

  test('a change of an older state is a conflict', () => {
    expect(() => expectVersion(3, 2, 'lead')).toThrow('Someone changed this lead meanwhile.');
    expect(() => expectVersion(3, 3, 'lead')).not.toThrow();
  });
});
