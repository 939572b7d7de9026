import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, Int, ObjectType } from 'type-graphql';
import { DateTime } from '../../../schema/scalars.ts';

@ObjectType({
  description: 'A signed copy of a licence, with which an installation of the tenant decides without a network.',
})
@Directive('@key(fields: "id")')
@Entity({ schema: 'licensing', tableName: 'license_file' })
export class LicenseFile {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'uuid' }) licenseId!: string;
  @Field(() => Int, { description: 'One more with each file of the tenant; an installation takes none below its own.' })
  @Property({ type: 'integer' })
  epoch!: number;
  @Field(() => Int, { description: 'The version of the licence it was made from.' })
  @Property({ type: 'integer' })
  licenseVersion!: number;
  @Field(() => String, { description: 'The key that signed it.' }) @Property({ type: 'string' }) kid!: string;
  @Field(() => ID, { nullable: true, description: 'The one installation it is for; null is any of the tenant.' })
  @Property({ type: 'uuid', nullable: true })
  installationId!: string | null;
  @Field(() => DateTime) @Property({ type: 'datetime' }) issuedAt!: Date;
  @Field(() => DateTime) @Property({ type: 'datetime' }) notBefore!: Date;
  @Field(() => DateTime) @Property({ type: 'datetime' }) expiresAt!: Date;
  @Field(() => String, { description: 'SHA-256 of the file, 64 hex digits.' })
  @Property({ type: 'string' })
  sha256!: string;
  @Field(() => DateTime, { nullable: true })
  @Property({ type: 'datetime', nullable: true })
  revokedAt!: Date | null;
  @Field(() => String, { nullable: true, description: 'Why it was revoked.' })
  @Property({ type: 'string', nullable: true })
  reason!: string | null;
}
