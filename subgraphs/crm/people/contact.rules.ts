import { Refusal } from '../../../schema/errors.ts';
import { languageTag, optionalText, text, trimmed } from '../../../schema/words.ts';
import { type Point, soundPoints } from './contact-point.rules.ts';

export type ContactKind = 'PERSON' | 'ORGANISATION';
export type ContactStatus = 'ACTIVE' | 'INACTIVE';
export type ContactRole = 'PRIMARY' | 'BILLING' | 'TECHNICAL' | 'SITE' | 'EMERGENCY' | 'LEGAL' | 'USER';

/** Live links of one customer, at most. */
export const MAX_LINKS = 50;

export interface ContactFields {
  kind: ContactKind;
  displayName: string;
  givenName: string | null;
  familyName: string | null;
  language: string | null;
}

export type TypedContact = { kind: ContactKind; displayName: string } & Partial<ContactFields>;

/** A contact's own fields in their stored form, or INVALID with the field. */
export function checkContact(typed: TypedContact): ContactFields {
  return {
    kind: typed.kind,
    displayName: text(typed.displayName, 200, 'displayName'),
    givenName: optionalText(typed.givenName, 100, 'givenName'),
    familyName: optionalText(typed.familyName, 100, 'familyName'),
    language: languageTag(typed.language),
  };
}

/** A contact's fields with some of them said anew: what is left out stays, and null empties what may be empty. */
export function changedContact(held: TypedContact, said: Partial<TypedContact>): TypedContact {
  return {
    kind: said.kind ?? held.kind,
    displayName: said.displayName ?? held.displayName,
    givenName: said.givenName === undefined ? held.givenName : said.givenName,
    familyName: said.familyName === undefined ? held.familyName : said.familyName,
    language: said.language === undefined ? held.language : said.language,
  };
}

/** What billing says of a new customer; empty where a person was erased since. */
export interface CustomerPersonal {
  name?: string | null;
  email?: string | null;
  phone?: string | null;
  language?: string | null;
}

/**
 * The primary contact of a new customer, or null when there is nobody left to name. An address or number that is none
 * is left out: the customer exists all the same.
 */
export function primaryContactOf(
  customerKind: string,
  personal: CustomerPersonal,
  country: string,
): { fields: ContactFields; points: Point[] } | null {
  const name = [...trimmed(personal.name ?? '')].slice(0, 200).join('');
  if (name === '') return null;
  const typed = [
    ...(personal.email ? [{ type: 'EMAIL' as const, value: personal.email }] : []),
    ...(personal.phone ? [{ type: 'PHONE' as const, value: personal.phone }] : []),
  ];
  const kind = customerKind === 'BUSINESS' ? 'ORGANISATION' : 'PERSON';
  const fields = {
    kind,
    displayName: name,
    givenName: null,
    familyName: null,
    language: personal.language ?? null,
  } as const;
  return { fields, points: soundPoints(typed, country) };
}

/** Refuses to leave a customer without its one primary contact. */
export function checkUnlink(role: ContactRole): void {
  if (role === 'PRIMARY')
    throw new Refusal(
      'INVALID_STATE',
      'A customer always has a primary contact. Make another one primary instead.',
      'role',
    );
}
