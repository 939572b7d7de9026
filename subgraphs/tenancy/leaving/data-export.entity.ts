import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, Float, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { DateTime } from '../../../schema/scalars.ts';
import type { ExportState } from './data-export.rules.ts';

export const ExportStateEnum = {
  REQUESTED: 'REQUESTED',
  RUNNING: 'RUNNING',
  READY: 'READY',
  EXPIRED: 'EXPIRED',
  FAILED: 'FAILED',
} as const satisfies { [S in ExportState]: S };
registerEnumType(ExportStateEnum, { name: 'DataExportState' });

@ObjectType({ description: 'One file of an export: a noun of a domain as JSON lines.' })
export class DataExportFile {
  @Field(() => String) domain!: string;
  @Field(() => String) noun!: string;
  @Field(() => Int) rows!: number;
  @Field(() => Float) bytes!: number;
  @Field(() => String, { description: 'Of the file, 64 hex digits.' }) sha256!: string;
  fileId!: string;
}

@ObjectType({ description: 'Everything a tenant has on the platform, without secrets, to take away.' })
@Directive('@key(fields: "id")')
@Entity({ schema: 'tenancy', tableName: 'data_export' })
export class DataExport {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Field(() => ExportStateEnum) @Property({ type: 'string' }) state!: ExportState;
  @Field(() => [String]) @Property({ type: 'string[]' }) domains!: string[];
  @Field(() => [String], { description: 'Domains that are not ready yet.' })
  @Property({ type: 'string[]' })
  waitingFor!: string[];
  @Property({ type: 'json' }) files!: DataExportFile[];
  @Field(() => DateTime) @Property({ type: 'datetime' }) requestedAt!: Date;
  @Property({ type: 'uuid', nullable: true }) requestedBy?: string | null;
  @Field(() => DateTime, { nullable: true }) @Property({ type: 'datetime', nullable: true }) readyAt?: Date | null;
  @Field(() => DateTime, { nullable: true, description: 'From then on its files are gone.' })
  @Property({ type: 'datetime', nullable: true })
  expiresAt?: Date | null;
}
