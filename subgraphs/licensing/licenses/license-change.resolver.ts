import { Arg, Args, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { RequiresPermission } from '../../../schema/directives.ts';
import { checkPage, connectionOf, PageArgs } from '../../../schema/page.ts';
import type { Context } from '../../_kernel/context.ts';
import { LicenseChange, LicenseKeyChange, lineNode, PriceLineNode } from './license-change.entity.ts';
import { licenseHistory } from './license-change.service.ts';
import { ChangeDirectionEnum, LicenseChangeStatusEnum } from './planned-change.entity.ts';
import { plannedChange } from './planned-change.loaders.ts';

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

  @FieldResolver(() => LicenseChangeStatusEnum)
  async status(@Root() change: LicenseChange, @Ctx() ctx: Context) {
    return (await plannedOf(ctx, change))?.status ?? change.status;
  }

  @FieldResolver(() => ChangeDirectionEnum, { nullable: true, description: 'Of a change that waits or waited.' })
  async direction(@Root() change: LicenseChange, @Ctx() ctx: Context) {
    return (await plannedOf(ctx, change))?.direction ?? null;
  }

  @FieldResolver(() => String, { nullable: true, description: 'The plan version it leads to, such as `starter@1`.' })
  async leadsTo(@Root() change: LicenseChange, @Ctx() ctx: Context) {
    return (await plannedOf(ctx, change))?.toRef ?? null;
  }

  @FieldResolver(() => [PriceLineNode])
  lines(@Root() change: LicenseChange): PriceLineNode[] {
    return change.lines.map(lineNode);
  }
}

/** What became of a change that waits or waited; null for one that held at once. */
const plannedOf = (ctx: Context, change: LicenseChange) =>
  change.status === 'APPLIED' ? null : ctx.load(plannedChange, change.id);
