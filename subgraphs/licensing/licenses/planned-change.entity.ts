import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { registerEnumType } from 'type-graphql';
import type { BillingInterval, StoredLine } from '../catalogue/price.rules.ts';
import type { LicenseChangeCause } from './license-change.rules.ts';

export const ChangeDirectionEnum = { UPGRADE: 'UPGRADE', DOWNGRADE: 'DOWNGRADE', MIXED: 'MIXED' } as const;
export const LicenseChangeStatusEnum = {
  APPLIED: 'APPLIED',
  SCHEDULED: 'SCHEDULED',
  AWAITING_PAYMENT: 'AWAITING_PAYMENT',
  CANCELLED: 'CANCELLED',
  SUPERSEDED: 'SUPERSEDED',
} as const;
export type PlannedStatus = keyof typeof LicenseChangeStatusEnum;
registerEnumType(ChangeDirectionEnum, {
  name: 'ChangeDirection',
  description: 'Whether a change of what is sold only gives, only takes, or does both.',
});
registerEnumType(LicenseChangeStatusEnum, {
  name: 'LicenseChangeStatus',
  description: 'A change is applied at once, waits for the end of the period, or waits for money.',
});

/** An add-on of a wanted end state, in its version. */
export interface WantedAddOn {
  addOnVersionId: string;
  quantity: number;
}

/** A change of what is sold that waits. Its id is that of the history row that announced it. */
@Entity({ schema: 'licensing', tableName: 'planned_change' })
export class PlannedChange {
  @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'uuid' }) licenseId!: string;
  @Property({ type: 'string' }) status!: PlannedStatus;
  @Property({ type: 'string' }) direction!: keyof typeof ChangeDirectionEnum;
  @Property({ type: 'string' }) cause!: LicenseChangeCause;
  @Property({ type: 'uuid' }) planVersionId!: string;
  @Property({ type: 'string' }) interval!: BillingInterval;
  @Property({ type: 'json' }) addOns!: WantedAddOn[];
  /** What stays where a lowered limit freezes the rest, by quota. */
  @Property({ type: 'json' }) keep!: Record<string, string[]>;
  @Property({ type: 'boolean' }) isRestart!: boolean;
  @Property({ type: 'string' }) fromRef!: string;
  @Property({ type: 'string' }) toRef!: string;
  @Property({ type: 'json' }) lines!: StoredLine[];
  @Property({ type: 'datetime' }) pricedAt!: Date;
  @Property({ type: 'string', nullable: true }) previewHash!: string | null;
  @Property({ type: 'datetime' }) effectiveAt!: Date;
  @Property({ type: 'datetime', nullable: true }) settledAt!: Date | null;
}
