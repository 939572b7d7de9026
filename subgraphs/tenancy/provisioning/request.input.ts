import { Field, InputType, registerEnumType } from 'type-graphql';
import { CurrencyCode, TimeZone } from '../../../schema/scalars.ts';
import { IsolationEnum } from '../placement/placement.entity.ts';
import type { Isolation } from '../placement/placement.rules.ts';

const ProvisionedIntervalEnum = { MONTH: 'MONTH', YEAR: 'YEAR' } as const;
registerEnumType(ProvisionedIntervalEnum, { name: 'ProvisionedInterval' });

@InputType({ description: 'The first administrator of a tenant.' })
class FirstAdminInput {
  @Field(() => String, { description: '1 to 120 characters.' }) name!: string;
  @Field(() => String) email!: string;
}

@InputType()
export class RequestTenantInput {
  @Field(() => String, { description: '3 to 30 letters, digits and single hyphens; never used twice.' }) slug!: string;
  @Field(() => String, { description: '2 to 120 characters.' }) name!: string;
  @Field(() => String, { nullable: true }) legalName?: string | null;
  @Field(() => String, { description: 'ISO 3166-1 alpha-2.' }) country!: string;
  @Field(() => TimeZone) zone!: string;
  @Field(() => String, { nullable: true, description: 'BCP 47; English of its country unless given.' })
  locale?: string | null;
  @Field(() => CurrencyCode, { nullable: true, description: "The platform's unless given." }) currency?: string | null;
  @Field(() => String, { nullable: true, description: "The administrator's unless given." }) billingEmail?:
    | string
    | null;
  @Field(() => FirstAdminInput) admin!: FirstAdminInput;
  @Field(() => String, { description: 'Code of a plan.' }) plan!: string;
  @Field(() => ProvisionedIntervalEnum, { defaultValue: 'MONTH' }) interval!: 'MONTH' | 'YEAR';
  @Field(() => Boolean, { defaultValue: false }) isTrial!: boolean;
  @Field(() => IsolationEnum, { defaultValue: 'SHARED' }) isolation!: Isolation;
  @Field(() => String, { nullable: true, description: 'Where its data lies; by default near its country.' })
  region?: string | null;
  @Field(() => String, { description: '1 to 255 characters; the same key answers the same run.' })
  idempotencyKey!: string;
}
