import { Directive, Field, InputType, ObjectType } from 'type-graphql';
import { Refusal } from './errors.ts';
import { optionalText } from './words.ts';

@ObjectType({ description: 'A postal address.' })
@Directive('@shareable')
export class Address {
  @Field(() => String) line1!: string;
  @Field(() => String, { nullable: true }) line2?: string | null;
  @Field(() => String) city!: string;
  @Field(() => String, { nullable: true }) postalCode?: string | null;
  @Field(() => String, { nullable: true, description: 'State, province or county.' }) region?: string | null;
  @Field(() => String, { description: 'ISO 3166-1 alpha-2.' }) country!: string;
}

@InputType()
export class AddressInput {
  @Field(() => String, { description: 'Street and number, 1 to 200 characters.' }) line1!: string;
  @Field(() => String, { nullable: true }) line2?: string | null;
  @Field(() => String, { description: '1 to 100 characters.' }) city!: string;
  @Field(() => String, { nullable: true }) postalCode?: string | null;
  @Field(() => String, { nullable: true, description: 'State, province or county.' }) region?: string | null;
  @Field(() => String, { description: 'ISO 3166-1 alpha-2, upper case.' }) country!: string;
}

const LONGEST = { line1: 200, line2: 200, city: 100, postalCode: 20, region: 100 } as const;

/** Trims an address's texts; refuses a missing, overlong or unknown part with INVALID and `field`. */
export function checkAddress(given: AddressInput, field: string): Address {
  const text = (part: keyof typeof LONGEST) =>
    optionalText(given[part], LONGEST[part], field, { name: `The ${part} of an address` });
  const [line1, city] = [text('line1'), text('city')];
  if (!line1 || !city) throw new Refusal('INVALID', 'An address has a first line and a city.', field);
  if (!isCountry(given.country))
    throw new Refusal('INVALID', 'A country is two capital letters of ISO 3166, such as DE.', field);
  return {
    line1,
    line2: text('line2'),
    city,
    postalCode: text('postalCode'),
    region: text('region'),
    country: given.country,
  };
}

const countryNames = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });

/** Whether a text is a country's code of ISO 3166-1 alpha-2. */
export const isCountry = (code: string) => /^[A-Z]{2}$/.test(code) && countryNames.of(code) !== undefined;
