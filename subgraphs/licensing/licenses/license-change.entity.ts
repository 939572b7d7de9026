import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { Money, money } from '../../../schema/money.ts';
import { DateTime } from '../../../schema/scalars.ts';
import type { StoredLine } from '../catalogue/price.rules.ts';
import { LICENSE_CHANGE_CAUSES, type LicenseChangeCause, type Snapshot } from './license-change.rules.ts';
import type { PlannedStatus } from './planned-change.entity.ts';

export const LicenseChangeCauseEnum = Object.fromEntries(LICENSE_CHANGE_CAUSES.map((c) => [c, c])) as {
  [C in LicenseChangeCause]: C;
};
registerEnumType(LicenseChangeCauseEnum, { name: 'LicenseChangeCause' });

@ObjectType({ description: 'One version of a licence: who changed what, when and why.' })
@Directive('@key(fields: "id")')
@Entity({ schema: 'licensing', tableName: 'license_change' })
export class LicenseChange {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'uuid' }) licenseId!: string;
  @Field(() => Int) @Property({ type: 'integer' }) version!: number;
  @Field(() => Int, { description: '0 before the first.' }) @Property({ type: 'integer' }) previousVersion!: number;
  @Field(() => [String], { description: 'Paths such as `state`, `features.crm` or `limits.subscribers`.' })
  @Property({ type: 'array' })
  changedKeys!: string[];
  @Property({ type: 'json' }) before!: Snapshot;
  @Property({ type: 'json' }) after!: Snapshot;
  @Field(() => LicenseChangeCauseEnum) @Property({ type: 'string' }) cause!: LicenseChangeCause;
  @Field(() => String, { description: 'The id of who did it, or SYSTEM.' })
  @Property({ type: 'string' })
  actor!: string;
  @Field(() => String, { nullable: true }) @Property({ type: 'string', nullable: true }) reason!: string | null;
  /** What became of it stands on the planned change; shown is that. */
  @Property({ type: 'string' }) status!: PlannedStatus;
  @Field(() => DateTime) @Property({ type: 'datetime' }) effectiveAt!: Date;
  @Property({ type: 'json' }) lines!: StoredLine[];
  @Property({ type: 'uuid' }) eventId!: string;
  @Field(() => DateTime, { description: 'When it was written.' }) @Property({ type: 'datetime' }) at!: Date;
}

@ObjectType({ description: 'What one path of a licence said before and after a change, as JSON; null is nothing.' })
export class LicenseKeyChange {
  @Field(() => String) key!: string;
  @Field(() => String, { nullable: true }) before!: string | null;
  @Field(() => String, { nullable: true }) after!: string | null;
}

@ObjectType('PriceLine', { description: 'Part of the price of a change, net of tax; below zero is a credit.' })
export class PriceLineNode {
  @Field(() => String, { description: 'Such as `charge:plan:professional@1`.' }) key!: string;
  @Field(() => Money) amount!: Money;
  @Field(() => DateTime) periodStart!: Date;
  @Field(() => DateTime) periodEnd!: Date;
}

/** A stored line as the graph shows it. */
export const lineNode = (line: StoredLine): PriceLineNode => ({
  key: line.key,
  amount: money(BigInt(line.amountMinor), line.currency),
  periodStart: new Date(line.periodStart),
  periodEnd: new Date(line.periodEnd),
});
