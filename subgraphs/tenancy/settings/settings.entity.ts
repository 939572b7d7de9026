import { ArrayType } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { DateTime } from '../../../schema/scalars.ts';
import { SETTING_TYPES, type SettingType } from '../../../schema/settings.ts';

export const SettingTypeEnum = Object.fromEntries(SETTING_TYPES.map((type) => [type, type])) as {
  [T in SettingType]: T;
};
registerEnumType(SettingTypeEnum, { name: 'SettingType', description: 'What the text of a setting has to be.' });

@ObjectType({ description: 'One thing a tenant can set. Its value is a text, whatever it means.' })
export class Setting {
  @Field(() => String) key!: string;
  @Field(() => SettingTypeEnum) type!: SettingType;
  @Field(() => String) value!: string;
  @Field(() => String, { description: 'What it is while it is not set.' }) default!: string;
  @Field(() => Boolean, { description: 'It was never set, or reset: it follows its default.' }) isDefault!: boolean;
  @Field(() => String, { nullable: true }) min?: string | null;
  @Field(() => String, { nullable: true, description: 'Of a text, how many characters it has at most.' })
  max?: string | null;
  @Field(() => [String], { nullable: true }) oneOf?: readonly string[] | null;
  @Field(() => String, { nullable: true }) unit?: string | null;
}

@ObjectType({ description: 'The settings of one part of the product, which are changed together.' })
export class SettingsSection {
  @Field(() => String) section!: string;
  @Field(() => Int, { description: '1 until something is set.' }) version!: number;
  @Field(() => [Setting]) values!: Setting[];
  @Field(() => DateTime, { nullable: true }) updatedAt?: Date | null;
  @Field(() => ID, { nullable: true, description: 'Who changed it last.' }) updatedBy?: string | null;
}

@ObjectType({ description: 'A setting that became another.' })
export class SettingChange {
  @Field(() => String) section!: string;
  @Field(() => String) key!: string;
  @Field(() => String) before!: string;
  @Field(() => String) after!: string;
}

@ObjectType({ description: 'Settings to keep or to take to another tenant.' })
export class SettingsDocument {
  @Field(() => Int, { description: 'Of the format.' }) schema!: number;
  @Field(() => String, { description: 'Canonical JSON (RFC 8785) of what was set.' }) document!: string;
  @Field(() => String, { description: 'SHA-256 of it in hex.' }) hash!: string;
}

/** What was set in a section. */
@Entity({ schema: 'tenancy', tableName: 'settings_section' })
export class StoredSection {
  /** Its name. */
  @PrimaryKey({ type: 'string' }) id!: string;
  @Property({ type: 'integer' }) version!: number;
  @Property({ type: 'json' }) values!: Record<string, string>;
  @Property({ type: 'datetime' }) updatedAt!: Date;
  @Property({ type: 'uuid', nullable: true }) updatedBy?: string | null;
}

@ObjectType({ description: 'What a change of a section made of its settings.' })
@Entity({ schema: 'tenancy', tableName: 'settings_revision' })
export class SettingsRevision {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Field(() => String) @Property({ type: 'string' }) section!: string;
  @Field(() => Int) @Property({ type: 'integer' }) version!: number;
  @Field(() => [String], { description: 'What changed.' }) @Property({ type: ArrayType }) keys!: string[];
  @Property({ type: 'json' }) before!: Record<string, string>;
  @Property({ type: 'json' }) after!: Record<string, string>;
  @Property({ type: 'json' }) values!: Record<string, string>;
  @Field(() => ID, { nullable: true }) @Property({ type: 'uuid', nullable: true }) actor?: string | null;
  @Field(() => DateTime) @Property({ type: 'datetime' }) at!: Date;
}
