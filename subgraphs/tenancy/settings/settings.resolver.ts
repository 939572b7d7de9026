import {
  Arg,
  Args,
  Ctx,
  Field,
  FieldResolver,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import { Continuity, ListSize, RequiresPermission } from '../../../schema/directives.ts';
import { checkPage, connectionOf, PageArgs } from '../../../schema/page.ts';
import { orCurrent, payload, payloadOf, UserError } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import { waitForGateways } from '../../_kernel/propagation.ts';
import { SettingChange, SettingsDocument, SettingsRevision, SettingsSection } from './settings.entity.ts';
import * as service from './settings.service.ts';
import { importSettings } from './settings-import.service.ts';

const SettingsRevisionConnection = connectionOf(SettingsRevision, 'SettingsRevision');
const SettingsPayload = payloadOf('SettingsPayload', 'section', () => SettingsSection);

@ObjectType()
class SettingsImportPayload {
  @Field(() => [SettingsSection], { nullable: true, description: 'The sections of the document as they are now.' })
  sections?: SettingsSection[] | null;
  @Field(() => [SettingChange], { nullable: true, description: 'What becomes, or became, another.' })
  changes?: SettingChange[] | null;
  @Field(() => String, { nullable: true, description: 'Of a dry run: what to go on with.' })
  previewHash?: string | null;
  @Field(() => [UserError]) userErrors!: UserError[];
}

@InputType()
class SettingInput {
  @Field(() => String) key!: string;
  @Field(() => String) value!: string;
}

@InputType()
class UpdateSettingsInput {
  @Field(() => String) section!: string;
  @Field(() => Int, { description: 'The version it was read at.' }) expectedVersion!: number;
  @Field(() => [SettingInput], { description: 'All are made, or none.' }) changes!: SettingInput[];
}

@InputType()
class ResetSettingsInput {
  @Field(() => String) section!: string;
  @Field(() => Int, { description: 'The version it was read at.' }) expectedVersion!: number;
  @Field(() => [String], { nullable: true, description: 'By default all of the section.' }) keys?: string[] | null;
}

@InputType()
class RestoreSettingsInput {
  @Field(() => String) section!: string;
  @Field(() => Int, { description: 'The version it was read at.' }) expectedVersion!: number;
  @Field(() => Int, { description: 'The version it shall be equal to.' }) version!: number;
}

@InputType()
class ImportSettingsInput {
  @Field(() => String, { description: 'As exportSettings gave it.' }) document!: string;
  @Field(() => Boolean, { defaultValue: true, description: 'Only show what it would change.' }) dryRun!: boolean;
  @Field(() => String, { nullable: true, description: 'Of the dry run, to go on with it.' })
  previewHash?: string | null;
}

@Resolver(() => SettingsRevision)
export class SettingsResolver {
  @Query(() => [SettingsSection], { description: 'How the tenant is set up; all sections where none is named.' })
  @RequiresPermission('tenancy.settings.read')
  @ListSize(11)
  settings(
    @Arg('sections', () => [String], { nullable: true }) sections: string[] | null | undefined,
    @Ctx() ctx: Context,
  ) {
    return service.listSettings(ctx, sections);
  }

  @Query(() => SettingsRevisionConnection, { description: 'How a section came to be, newest first.' })
  @RequiresPermission('tenancy.settings.read')
  settingsRevisions(
    @Arg('section', () => String) section: string,
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() ctx: Context,
  ) {
    checkPage(page);
    return service.listRevisions(ctx, section, page);
  }

  @Query(() => SettingsDocument)
  @RequiresPermission('tenancy.settings.read')
  exportSettings(
    @Arg('sections', () => [String], { nullable: true }) sections: string[] | null | undefined,
    @Ctx() ctx: Context,
  ) {
    return service.exportSettings(ctx, sections);
  }

  @FieldResolver(() => [SettingChange])
  changes(@Root() { section, keys, before, after }: SettingsRevision): SettingChange[] {
    return keys.map((key) => ({ section, key, before: before[key] ?? '', after: after[key] ?? '' }));
  }

  @Mutation(() => SettingsPayload)
  @RequiresPermission('tenancy.settings.update')
  @Continuity()
  updateSettings(@Arg('input', () => UpdateSettingsInput) input: UpdateSettingsInput, @Ctx() ctx: Context) {
    return orPresent(ctx, input.section, () => service.updateSettings(ctx, input));
  }

  @Mutation(() => SettingsPayload, { description: 'Lets settings follow their defaults again.' })
  @RequiresPermission('tenancy.settings.update')
  @Continuity()
  resetSettings(@Arg('input', () => ResetSettingsInput) input: ResetSettingsInput, @Ctx() ctx: Context) {
    return orPresent(ctx, input.section, () => service.resetSettings(ctx, input));
  }

  @Mutation(() => SettingsPayload, { description: 'Makes a new version that is equal to a former one.' })
  @RequiresPermission('tenancy.settings.update')
  @Continuity()
  restoreSettings(@Arg('input', () => RestoreSettingsInput) input: RestoreSettingsInput, @Ctx() ctx: Context) {
    return orPresent(ctx, input.section, () => service.restoreSettings(ctx, input));
  }

  @Mutation(() => SettingsImportPayload, { description: 'Makes the sections of a document what it says.' })
  @RequiresPermission('tenancy.settings.update')
  @Continuity()
  importSettings(@Arg('input', () => ImportSettingsInput) input: ImportSettingsInput, @Ctx() ctx: Context) {
    return payload(() => toldEverywhere(ctx, () => importSettings(ctx, input)));
  }
}

/** Who comes too late sees what is there now. */
const orPresent = (ctx: Context, section: string, change: () => Promise<SettingsSection>) =>
  orCurrent(
    payload(async () => ({ section: await toldEverywhere(ctx, change) })),
    () => service.presentSection(ctx, section),
  );

/** What stops people holds at every gateway before it is answered (identity R18). */
async function toldEverywhere<T>(ctx: Context, change: () => Promise<T>): Promise<T> {
  const result = await change();
  if (ctx.reply.told?.includes('grants')) await waitForGateways(ctx, 'grants');
  return result;
}
