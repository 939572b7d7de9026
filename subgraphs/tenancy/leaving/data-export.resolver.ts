import { Arg, Ctx, Field, FieldResolver, ID, InputType, Mutation, Query, Resolver, Root } from 'type-graphql';
import { Continuity, ListSize, RequiresPermission, WhileClosing, WhileSuspended } from '../../../schema/directives.ts';
import { payload, payloadOf } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import { DataExport, DataExportFile } from './data-export.entity.ts';
import * as service from './data-export.service.ts';

const DataExportPayload = payloadOf('DataExportPayload', 'dataExport', () => DataExport);

@InputType()
class DataExportInput {
  @Field(() => [String], { nullable: true, description: 'Left out, all of them.' })
  domains?: string[] | null;
}

@Resolver(() => DataExport)
export class DataExportResolver {
  @Query(() => DataExport, { nullable: true, description: "An export of the caller's tenant." })
  @RequiresPermission('tenancy.export.request')
  @WhileSuspended()
  dataExport(@Arg('id', () => ID) id: string, @Ctx() ctx: Context) {
    return service.dataExport(ctx, id);
  }

  @Mutation(() => DataExportPayload, {
    description: 'Collects everything the tenant has, one export at a time; also while it is closing or suspended.',
  })
  @RequiresPermission('tenancy.export.request')
  @WhileClosing()
  @WhileSuspended()
  @Continuity()
  requestDataExport(
    @Arg('input', () => DataExportInput, { defaultValue: {} }) { domains }: DataExportInput,
    @Ctx() ctx: Context,
  ) {
    return payload(async () => ({ dataExport: await service.requestDataExport(ctx, domains) }));
  }

  @FieldResolver(() => [DataExportFile], { description: 'Its files, once it is ready.' })
  @ListSize(100)
  manifest(@Root() made: DataExport): DataExportFile[] {
    return made.state === 'READY' ? made.files : [];
  }
}

@Resolver(() => DataExportFile)
export class DataExportFileResolver {
  @FieldResolver(() => String, { description: 'Where it is fetched: once, within 15 minutes. Ask again for another.' })
  link(@Root() file: DataExportFile, @Ctx() ctx: Context): string {
    return service.linkTo(ctx, file);
  }
}
