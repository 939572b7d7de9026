import { Refusal } from '../../../schema/errors.ts';
import { emailAddress, isPlain, text } from '../../../schema/words.ts';

export const FONTS = [
  ...['system', 'inter', 'roboto', 'open_sans', 'lato', 'noto_sans', 'source_sans_3', 'ibm_plex_sans', 'work_sans'],
] as readonly string[];

const HEX = /^#[0-9A-F]{6}$/;

/** A colour as `#RRGGBB` in capitals. Refuses another spelling with INVALID. */
export function colour(typed: string, field: string): string {
  const clean = typed.trim().toUpperCase();
  if (!HEX.test(clean)) throw new Refusal('INVALID', 'A colour is written like #0A7E8C.', field);
  return clean;
}

/** Relative luminance of a colour (WCAG 2.2). */
function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** The contrast of two colours, 1 to 21 (WCAG 2.2, contrast ratio). */
export function contrast(one: string, other: string): number {
  const [lighter = 0, darker = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (lighter + 0.05) / (darker + 0.05);
}

/** What text needs to be read (WCAG 2.2, success criterion 1.4.3, level AA). */
const LEAST_CONTRAST = 4.5;
export const WHITE = '#FFFFFF';

/** Refuses with INVALID and the figure two colours on which text cannot be read. */
export function checkContrast(on: string, of: string, field: string): void {
  const ratio = contrast(on, of);
  if (ratio >= LEAST_CONTRAST) return;
  const figure = ratio.toFixed(2);
  throw new Refusal(
    'INVALID',
    `Text of ${of} on ${on} has a contrast of ${figure}; it takes ${LEAST_CONTRAST}.`,
    field,
  );
}

const MAX_URL = 500;

/** An https address. Refuses with INVALID any other, and one with a name and password. */
export function httpsUrl(typed: string, field: string): string {
  const clean = typed.trim();
  const url = isPlain(clean) && clean.length <= MAX_URL && URL.canParse(clean) ? new URL(clean) : undefined;
  if (url?.protocol !== 'https:' || url.username || url.password || !url.hostname.includes('.'))
    throw new Refusal('INVALID', 'An address is written like https://example.com/terms.', field);
  return url.href;
}

/** A telephone number (E.164). Refuses another spelling with INVALID. */
export function phoneNumber(typed: string, field: string): string {
  const clean = typed.replace(/[\s().-]/g, '');
  if (!/^\+[1-9]\d{6,14}$/.test(clean)) throw new Refusal('INVALID', 'A number is written like +4930123456.', field);
  return clean;
}

/** A picture's longest content, bytes. */
export const MAX_IMAGE = 512 * 1024;
const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** What a picture is by its first bytes; null for none. */
export function pictureType(content: Buffer): 'png' | 'webp' | null {
  if (content.subarray(0, PNG.length).equals(PNG)) return 'png';
  return content.toString('latin1', 0, 4) === 'RIFF' && content.toString('latin1', 8, 12) === 'WEBP' ? 'webp' : null;
}

/** A picture in base64. Refuses INVALID what is no PNG or WebP, or larger. */
export function picture(typed: string, field: string): Buffer {
  const content = Buffer.from(typed, 'base64');
  if (content.length > MAX_IMAGE) throw new Refusal('INVALID', `A picture has at most ${MAX_IMAGE / 1024} kB.`, field);
  if (!pictureType(content)) throw new Refusal('INVALID', 'A picture is a PNG or WebP in base64, or an upload.', field);
  return content;
}

/** The part of a branding that every tenant may set. Left out: as it is; null: taken away. */
export interface BrandingChange {
  displayName?: string | null;
  primaryColor?: string | null;
  supportEmail?: string | null;
  supportPhone?: string | null;
  termsUrl?: string | null;
  privacyUrl?: string | null;
  imprintUrl?: string | null;
}

/** The licensed part. */
export interface WhiteLabelChange {
  font?: string | null;
  secondaryColor?: string | null;
  accentColor?: string | null;
  backgroundColor?: string | null;
  textColor?: string | null;
  senderName?: string | null;
  hidePoweredBy?: boolean | null;
}

type Check = (typed: string, field: string) => string;
const nameOf: Check = (typed, field) => text(typed.replace(/\s+/g, ' '), 80, field, { name: 'A name', min: 2 });
const fontNamed: Check = (typed, field) => {
  if (!FONTS.includes(typed)) throw new Refusal('INVALID', `A font is one of ${FONTS.join(', ')}.`, field);
  return typed;
};

const BRANDING: Record<keyof BrandingChange, Check> = {
  displayName: nameOf,
  primaryColor: colour,
  supportEmail: emailAddress,
  supportPhone: phoneNumber,
  termsUrl: httpsUrl,
  privacyUrl: httpsUrl,
  imprintUrl: httpsUrl,
};
const WHITE_LABEL: Record<keyof Omit<WhiteLabelChange, 'hidePoweredBy'>, Check> = {
  font: fontNamed,
  secondaryColor: colour,
  accentColor: colour,
  backgroundColor: colour,
  textColor: colour,
  senderName: nameOf,
};

/** The values a change sets, each checked; refuses INVALID with the field. */
function checked(checks: Record<string, Check>, change: object): Record<string, string | null> {
  const given = Object.entries(change).filter(([field, value]) => field in checks && value !== undefined);
  return Object.fromEntries(given.map(([field, value]) => [field, value && (checks[field] as Check)(value, field)]));
}

export const checkBranding = (change: BrandingChange) => checked(BRANDING, change);
export const checkWhiteLabel = (change: WhiteLabelChange) => checked(WHITE_LABEL, change);

/** What a branding is made of where nothing is set. */
export const DEFAULT_TEXT = '#1A1A1A';
export const DEFAULT_PRIMARY = '#0A7E8C';

/** Refuses colours on which their text cannot be read: white on three, the text's own on the background. */
export function checkColours(
  look: { [C in `${'primary' | 'secondary' | 'accent' | 'background' | 'text'}Color`]?: string | null },
): void {
  for (const field of ['primaryColor', 'secondaryColor', 'accentColor'] as const)
    if (look[field]) checkContrast(look[field], WHITE, field);
  const field = look.backgroundColor ? 'backgroundColor' : 'textColor';
  checkContrast(look.backgroundColor ?? WHITE, look.textColor ?? DEFAULT_TEXT, field);
}

/** How long a domain leads on to the platform's name after the white label has ended. */
const REDIRECT_MS = 30 * 24 * 3_600_000;
export const redirectEndOf = (endedAt: Date): Date => new Date(endedAt.getTime() + REDIRECT_MS);
export const isRedirected = (endedAt: Date | null | undefined, now: Date): boolean =>
  endedAt != null && now < redirectEndOf(endedAt);
