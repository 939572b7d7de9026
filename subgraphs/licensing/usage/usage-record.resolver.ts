import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { Continuity, RequiresPermission } from '../../../schema/directives.ts';
import { payload } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import { QuotaUsage } from './quota-usage.entity.ts';
import { quotaUsage } from './quota-usage.service.ts';
import {
  ConsumeUsageInput,
  RecordUsageEventsInput,
  ReleaseUsageInput,
  UsageEventsPayload,
  UsagePayload,
} from './usage-record.entity.ts';
import * as service from './usage-record.service.ts';

@Resolver(() => UsagePayload)
export class UsageRecordResolver {
  /** Asks for more, so that it is refused like other mutations of the core once the licence allows reading only. */
  @Mutation(() => UsagePayload, {
    description: 'Takes units of a quota for what lives outside, such as an installation.',
  })
  @RequiresPermission('licensing.usage.record')
  consumeUsage(@Arg('input', () => ConsumeUsageInput) input: ConsumeUsageInput, @Ctx() ctx: Context) {
    return payload(async () => ({ key: input.key, used: (await service.consumeUsage(ctx, input)).used }));
  }

  @Mutation(() => UsagePayload, { description: 'Gives back what was taken by `consumeUsage` or told as an event.' })
  @RequiresPermission('licensing.usage.record')
  @Continuity()
  releaseUsage(@Arg('input', () => ReleaseUsageInput) input: ReleaseUsageInput, @Ctx() ctx: Context) {
    return payload(async () => ({ key: input.key, used: (await service.releaseUsage(ctx, input)).used }));
  }

  @Mutation(() => UsageEventsPayload, { description: 'Counts what happened elsewhere, each event once.' })
  @RequiresPermission('licensing.usage.record')
  @Continuity()
  recordUsageEvents(@Arg('input', () => RecordUsageEventsInput) input: RecordUsageEventsInput, @Ctx() ctx: Context) {
    const { envelope, events } = input;
    return payload(async () => ({ envelope, results: await service.recordUsageEvents(ctx, events) }));
  }

  @FieldResolver(() => QuotaUsage, { nullable: true, description: 'Limit and use as they are now.' })
  async usage(@Root() { key }: UsagePayload, @Ctx() ctx: Context) {
    return key ? (await quotaUsage(ctx, ctx.tenantId, [key]))[0] : null;
  }
}
