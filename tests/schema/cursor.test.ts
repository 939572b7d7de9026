import { anywhere, asId, asInstant, asText, asWhole, keyAfter, keyIn, placeAfter } from '../../schema/cursor.ts';
import { encodeCursor } from '../../schema/page.ts';

const ID = '01990000-0000-7000-8000-000000007031';
const refused = expect.objectContaining({
  message: 'This cursor is not one of ours.',
  extensions: { code: 'BAD_USER_INPUT' },
});

describe('where a list goes on', () => {
  test('a list without cursor begins at its beginning', () => {
    for (const after of [undefined, null, '']) {
      expect(keyAfter({ after }, asId)).toBeNull();
      expect(placeAfter({ after }, asInstant)).toBeNull();
    }
  });

  test('a cursor we gave is read as it was written', () => {
    const at = new Date('2027-03-17T16:15:30.123Z');
    expect(keyAfter({ after: encodeCursor([ID]) }, asId)).toBe(ID);
    expect(keyAfter({ after: encodeCursor(['Müller']) }, asText)).toBe('Müller');
    expect(keyIn(encodeCursor([7]), asWhole)).toBe(7);
    expect(placeAfter({ after: encodeCursor([at.toISOString(), ID]) }, asInstant)).toEqual({ key: at, id: ID });
    expect(placeAfter({ after: encodeCursor([0, ID]) }, asWhole)).toEqual({ key: 0, id: ID });
  });

  test.each([
    [asId, 'x'],
    [asId, 7],
    [asText, 'a\0b'],
    [asText, 7],
    [asWhole, -1],
    [asWhole, 1.5],
    [asWhole, 2 ** 53],
    [asWhole, '7'],
    [asInstant, 'yesterday'],
    [asInstant, 7],
    [asInstant, '0000-01-01T00:00:00.000Z'],
    [asInstant, '-000001-01-01T00:00:00.000Z'],
    [asInstant, '+010000-01-01T00:00:00.000Z'],
  ])('a cursor that was made up is refused (%#)', (read, part) => {
    expect(() => keyAfter({ after: encodeCursor([part]) }, read as typeof asText)).toThrow(refused);
    expect(() => placeAfter({ after: encodeCursor([part, ID]) }, read as typeof asText)).toThrow(refused);
  });

  test('a cursor of another list is refused', () => {
    expect(() => keyAfter({ after: encodeCursor(['a', ID]) }, asText)).toThrow(refused);
    expect(() => placeAfter({ after: encodeCursor(['a']) }, asText)).toThrow(refused);
    expect(() => placeAfter({ after: encodeCursor(['a', 'b']) }, asText)).toThrow(refused);
    expect(() => keyIn('nonsense', asText)).toThrow(refused);
  });
});

describe('what is searched for', () => {
  test('means itself, whatever it holds', () => {
    expect(anywhere(' 100%_\\ ')).toBe('%100\\%\\_\\\\%');
    expect(anywhere('Zoe\u0301')).toBe('%Zoé%');
  });

  test.each([
    ['a', 2],
    [' ', 1],
    ['x'.repeat(101), 1],
    ['a\0b', 1],
    ['a\ud83d', 1],
  ])('%j of at least %d is refused', (typed, min) => {
    expect(() => anywhere(typed, min)).toThrow(`A search text has ${min} to 100 characters.`);
  });
});
