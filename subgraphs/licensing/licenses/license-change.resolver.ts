import { Arg, Args, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { RequiresPermission } from '../../../schema/directives.ts';
import { money } from '../../../schema/money.ts';
import { checkPage, connectionOf, PageArgs } from '../../../schema/page.ts';
import type { Context } from '../../_kernel/context.ts';
import { LicenseChange, LicenseKeyChange, PriceLineNode } from './license-change.entity.ts';
import { licenseHistory } from './license-change.service.ts';

const LicenseChangeConnection = connectionOf(LicenseChange, 'LicenseChange');

/** A value as the wire has it: plain text as it is, everything else as JSON. */
const textOf = (value: unknown): string | null =>
  value === null || value === undefined ? null : typeof value === 'string' ? value : JSON.stringify(value);

@Resolver(() => LicenseChange)
export class LicenseChangeResolver {
  @Query(() => LicenseChangeConnection, { description: 'Who changed the licence, newest first.' })
  @RequiresPermission('licensing.license.read')
  licenseHistory(
    @Arg('keys', () => [String], { nullable: true, description: 'Only changes of one of these paths.' }) keys:
      | string[]
      | null,
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() ctx: Context,
  ) {
    checkPage(page);
    return licenseHistory(ctx, page, keys ?? null);
  }

  @FieldResolver(() => [LicenseKeyChange], { description: 'Before and after, per path of `changedKeys`.' })
  changes(@Root() { changedKeys, before, after }: LicenseChange): LicenseKeyChange[] {
    return changedKeys.map((key) => ({ key, before: textOf(before[key]), after: textOf(after[key]) }));
  }

  @FieldResolver(() => [PriceLineNode])
  lines(@Root() change: LicenseChange): PriceLineNode[] {
    return change.lines.map((line) => ({
      key: line.key,
      amount: money(BigInt(line.amountMinor), line.currency),
      periodStart: new Date(line.periodStart),
      periodEnd: new Date(line.periodEnd),
    }));
  }
}
