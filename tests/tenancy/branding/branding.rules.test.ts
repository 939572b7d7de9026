import fc from 'fast-check';
import {
  checkBranding,
  checkColours,
  checkWhiteLabel,
  contrast,
  isRedirected,
  MAX_IMAGE,
  picture,
  pictureType,
} from '../../../subgraphs/tenancy/branding/branding.rules.ts';

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const INVALID = (field: string) => expect.objectContaining({ code: 'INVALID', field });

describe('Text on a colour can be read', () => {
  test.each([
    ['#777777', '4.48', false],
    ['#767676', '4.54', true],
    ['#0A7E8C', '4.80', true],
    ['#FFB000', '1.83', false],
    ['#000000', '21.00', true],
    ['#FFFFFF', '1.00', false],
  ])('white on %s has a contrast of %s: %s', (colour, figure, isTaken) => {
    expect(contrast(colour, '#FFFFFF').toFixed(2)).toBe(figure);
    const check = () => checkColours({ primaryColor: colour });
    if (isTaken) expect(check).not.toThrow();
    else
      expect(check).toThrow(
        expect.objectContaining({
          ...{ code: 'INVALID', field: 'primaryColor' },
          message: expect.stringContaining(figure),
        }),
      );
  });

  test('a contrast is the same from both sides, from 1 to 21', () => {
    const colour = fc
      .integer({ min: 0, max: 0xffffff })
      .map((n) => `#${n.toString(16).padStart(6, '0').toUpperCase()}`);
    fc.assert(
      fc.property(
        colour,
        colour,
        (a, b) => contrast(a, b) === contrast(b, a) && contrast(a, b) >= 1 && contrast(a, b) <= 21,
      ),
    );
  });

  test('on every colour that carries some, and of the text’s own colour on the background', () => {
    expect(() => checkColours({ accentColor: '#FFB000' })).toThrow(INVALID('accentColor'));
    expect(() => checkColours({ secondaryColor: '#777777' })).toThrow(INVALID('secondaryColor'));
    expect(() => checkColours({ textColor: '#999999' })).toThrow(INVALID('textColor'));
    expect(() => checkColours({ backgroundColor: '#101010', textColor: '#202020' })).toThrow(
      INVALID('backgroundColor'),
    );
    expect(() => checkColours({ backgroundColor: '#101010', textColor: '#EEEEEE' })).not.toThrow();
  });
});

describe('A picture', () => {
  test('is a PNG or WebP by its first bytes, whatever it calls itself', () => {
    expect(pictureType(picture(PNG.toString('base64'), 'logoLight'))).toBe('png');
    expect(pictureType(picture(Buffer.from('RIFF\0\0\0\0WEBPVP8 ').toString('base64'), 'favicon'))).toBe('webp');
    for (const other of ['<svg xmlns="http://www.w3.org/2000/svg"/>', 'GIF89a', 'RIFF\0\0\0\0WAVE', '', '\xff\xd8\xff'])
      expect(() => picture(Buffer.from(other, 'latin1').toString('base64'), 'logoDark')).toThrow(INVALID('logoDark'));
  });

  test('has at most 512 kB', () => {
    const of = (bytes: number) => Buffer.concat([PNG, Buffer.alloc(bytes - PNG.length)]).toString('base64');
    expect(picture(of(MAX_IMAGE), 'logoLight')).toHaveLength(524_288);
    expect(() => picture(of(MAX_IMAGE + 1), 'logoLight')).toThrow('A picture has at most 512 kB.');
  });
});

describe('The looks of a tenant', () => {
  test.each([
    ['primaryColor', 'red'],
    ['primaryColor', '#0A7'],
    ['primaryColor', '#0A7E8C;}'],
    ['supportEmail', 'help'],
    ['supportPhone', '0301234567'],
    ['supportPhone', '+0123456789'],
    ['termsUrl', 'javascript:alert(1)'],
    ['termsUrl', 'http://northwind.example/terms'],
    ['privacyUrl', 'https://user:pass@northwind.example/'],
    ['imprintUrl', '//northwind.example'],
    ['displayName', 'N'],
    ['displayName', 'N'.repeat(81)],
  ])('%s is never %j', (field, value) => {
    expect(() => checkBranding({ [field]: value })).toThrow(INVALID(field));
  });

  test('a font is one of the list; null takes a value away, and what is left out stays', () => {
    expect(() => checkWhiteLabel({ font: 'comic_sans' })).toThrow(INVALID('font'));
    expect(checkWhiteLabel({ font: 'inter', accentColor: null })).toEqual({ font: 'inter', accentColor: null });
    expect(checkBranding({ primaryColor: ' #0a7e8c ', supportPhone: '+49 (30) 123-4567' })).toEqual({
      ...{ primaryColor: '#0A7E8C', supportPhone: '+49301234567' },
    });
  });

  test('lead on to the platform’s name for thirty days after the white label', () => {
    const at = new Date('2027-03-17T12:00:00Z');
    const later = (days: number) => new Date(at.getTime() + days * 24 * 3_600_000);
    expect([
      isRedirected(at, at),
      isRedirected(at, later(29.9)),
      isRedirected(at, later(30)),
      isRedirected(null, at),
    ]).toEqual([true, true, false, false]);
  });
});
