import { Directive, Field, InputType, ObjectType } from 'type-graphql';
import { AmountMinor, CurrencyCode } from './scalars.ts';

@ObjectType({ description: 'An amount of money: whole minor units and their ISO 4217 currency.' })
@Directive('@shareable')
export class Money {
  @Field(() => AmountMinor) amountMinor!: bigint;
  @Field(() => CurrencyCode) currency!: string;
}

@InputType()
export class MoneyInput {
  @Field(() => AmountMinor) amountMinor!: bigint;
  @Field(() => CurrencyCode) currency!: string;
}

export function money(amountMinor: bigint, currency: string): Money {
  return Object.assign(new Money(), { amountMinor, currency });
}

/** Rounds the exact fraction `numerator / denominator` half-even (banker's rounding). The denominator is above 0. */
export function roundHalfEven(numerator: bigint, denominator: bigint): bigint {
  const sign = numerator < 0n ? -1n : 1n;
  const size = numerator * sign;
  const whole = size / denominator;
  const twice = (size % denominator) * 2n;
  const isUp = twice > denominator || (twice === denominator && whole % 2n === 1n);
  return sign * (whole + (isUp ? 1n : 0n));
}
