import {
  Arg,
  Args,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Int,
  Mutation,
  Query,
  Resolver,
  Root,
  registerEnumType,
} from 'type-graphql';
import { RequiresFeature, RequiresPermission } from '../../../schema/directives.ts';
import { Money, MoneyInput, money } from '../../../schema/money.ts';
import { checkPage, connectionOf, PageArgs } from '../../../schema/page.ts';
import { orCurrent, payload, payloadOf } from '../../../schema/payload.ts';
import { LocalDate } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import { User, userOf } from '../user.stub.ts';
import { Lead, LeadKindEnum, LeadSourceEnum, LeadStatusEnum, LostReasonEnum } from './lead.entity.ts';
import type { LeadStatus, LostReason } from './lead.rules.ts';
import * as service from './lead.service.ts';
import { leadById } from './loaders.ts';
import type { LeadKind, LeadSource } from './score.rules.ts';

const LeadConnection = connectionOf(Lead, 'Lead');
const LeadPayload = payloadOf('LeadPayload', 'lead', () => Lead);
const LeadOrderEnum = { NEWEST: 'NEWEST', SCORE: 'SCORE' } as const;
registerEnumType(LeadOrderEnum, { name: 'LeadOrder', valuesConfig: { SCORE: { description: 'Best first.' } } });

@InputType()
class LeadFilter {
  @Field(() => [LeadStatusEnum], { nullable: true }) status?: LeadStatus[] | null;
  @Field(() => ID, { nullable: true }) ownerId?: string | null;
  @Field(() => String, {
    nullable: true,
    description: 'Part of a number, name, e-mail address or telephone number; 2 to 100 characters.',
  })
  text?: string | null;
}

@InputType()
abstract class LeadFieldsInput {
  @Field(() => String, { nullable: true }) organisationName?: string | null;
  @Field(() => String, { nullable: true }) email?: string | null;
  @Field(() => String, {
    nullable: true,
    description: 'A number without a country code is one of the tenant’s country.',
  })
  phone?: string | null;
  @Field(() => MoneyInput, { nullable: true, description: 'What they mean to spend each month.' })
  monthlyBudget?: MoneyInput | null;
  @Field(() => Boolean, { nullable: true }) isDecisionMaker?: boolean | null;
  @Field(() => String, { nullable: true, description: 'At most 2,000 characters.' }) need?: string | null;
  @Field(() => LocalDate, { nullable: true }) decideBy?: string | null;
  @Field(() => Int, { nullable: true, description: '1 to 5; 3 if nothing is said.' }) priority?: number;
  @Field(() => String, { nullable: true, description: 'BCP 47.' }) language?: string | null;
  @Field(() => ID, { nullable: true }) ownerId?: string | null;
}

@InputType({ description: 'An e-mail address or a telephone number is needed.' })
class CaptureLeadInput extends LeadFieldsInput {
  @Field(() => LeadKindEnum, { defaultValue: 'RESIDENTIAL' }) kind!: LeadKind;
  @Field(() => String, { description: '1 to 200 characters.' }) name!: string;
  @Field(() => LeadSourceEnum) source!: LeadSource;
  @Field(() => String) idempotencyKey!: string;
}

@InputType({ description: 'What is left out stays as it is.' })
class UpdateLeadInput extends LeadFieldsInput {
  @Field(() => ID) leadId!: string;
  @Field(() => Int) expectedVersion!: number;
  @Field(() => LeadKindEnum, { nullable: true }) kind?: LeadKind;
  @Field(() => String, { nullable: true }) name?: string;
  @Field(() => LeadSourceEnum, { nullable: true }) source?: LeadSource;
}

@InputType()
abstract class LeadMoveInput {
  @Field(() => ID) leadId!: string;
  @Field(() => Int) expectedVersion!: number;
}

@InputType()
class AdvanceLeadInput extends LeadMoveInput {}

@InputType()
class QualifyLeadInput extends LeadMoveInput {}

@InputType()
class ReopenLeadInput extends LeadMoveInput {}

@InputType()
class DisqualifyLeadInput extends LeadMoveInput {
  @Field(() => LostReasonEnum) reason!: LostReason;
}

@Resolver(() => Lead)
export class LeadResolver {
  @Query(() => Lead, { nullable: true })
  @RequiresFeature('crm')
  @RequiresPermission('crm.lead.read')
  lead(@Arg('id', () => ID) id: string, @Ctx() ctx: Context) {
    return ctx.load(leadById, id);
  }

  @Query(() => LeadConnection, { nullable: true })
  @RequiresFeature('crm')
  @RequiresPermission('crm.lead.read')
  leads(
    @Arg('filter', () => LeadFilter, { nullable: true }) filter: LeadFilter | null,
    @Arg('orderBy', () => LeadOrderEnum, { defaultValue: 'NEWEST' }) orderBy: service.LeadOrder,
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() ctx: Context,
  ) {
    checkPage(page);
    return service.listLeads(ctx, filter ?? {}, orderBy, page);
  }

  @FieldResolver(() => User, { nullable: true, description: 'Who sells to them.' })
  owner(@Root() lead: Lead) {
    return userOf(lead.ownerId);
  }

  @FieldResolver(() => Money, { nullable: true, description: 'What they mean to spend each month.' })
  monthlyBudget(@Root() lead: Lead) {
    return lead.monthlyBudgetMinor === null ? null : money(lead.monthlyBudgetMinor, String(lead.currency));
  }

  @Mutation(() => LeadPayload, { nullable: true })
  @RequiresFeature('crm')
  @RequiresPermission('crm.lead.create')
  captureLead(@Arg('input', () => CaptureLeadInput) input: CaptureLeadInput, @Ctx() ctx: Context) {
    return payload(async () => ({ lead: await service.captureLead(ctx, input) }));
  }

  @Mutation(() => LeadPayload, { nullable: true })
  @RequiresFeature('crm')
  @RequiresPermission('crm.lead.manage')
  updateLead(@Arg('input', () => UpdateLeadInput) input: UpdateLeadInput, @Ctx() ctx: Context) {
    return changed(ctx, input.leadId, () => service.updateLead(ctx, input));
  }

  @Mutation(() => LeadPayload, { nullable: true, description: 'Says that somebody has spoken with them.' })
  @RequiresFeature('crm')
  @RequiresPermission('crm.lead.manage')
  advanceLead(@Arg('input', () => AdvanceLeadInput) input: AdvanceLeadInput, @Ctx() ctx: Context) {
    return changed(ctx, input.leadId, () => service.advanceLead(ctx, input));
  }

  @Mutation(() => LeadPayload, { nullable: true, description: 'Says that they are worth an offer.' })
  @RequiresFeature('crm')
  @RequiresPermission('crm.lead.manage')
  qualifyLead(@Arg('input', () => QualifyLeadInput) input: QualifyLeadInput, @Ctx() ctx: Context) {
    return changed(ctx, input.leadId, () => service.qualifyLead(ctx, input));
  }

  @Mutation(() => LeadPayload, { nullable: true })
  @RequiresFeature('crm')
  @RequiresPermission('crm.lead.manage')
  disqualifyLead(@Arg('input', () => DisqualifyLeadInput) input: DisqualifyLeadInput, @Ctx() ctx: Context) {
    return changed(ctx, input.leadId, () => service.disqualifyLead(ctx, input));
  }

  @Mutation(() => LeadPayload, { nullable: true, description: 'Takes up a lead that was given up.' })
  @RequiresFeature('crm')
  @RequiresPermission('crm.lead.manage')
  reopenLead(@Arg('input', () => ReopenLeadInput) input: ReopenLeadInput, @Ctx() ctx: Context) {
    return changed(ctx, input.leadId, () => service.reopenLead(ctx, input));
  }
}

const changed = (ctx: Context, id: string, run: () => Promise<Lead>) =>
  orCurrent(
    payload(async () => ({ lead: await run() })),
    async () => ({ lead: await ctx.load(leadById, id) }),
  );
