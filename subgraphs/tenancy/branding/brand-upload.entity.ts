import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** A picture on its way into a branding: asked for, then put, then used. */
@Entity({ schema: 'tenancy', tableName: 'brand_upload' })
export class BrandUpload {
  @PrimaryKey({ type: 'uuid' }) id!: string;
  /** Once it was put. */
  @Property({ type: 'blob', nullable: true }) content?: Buffer | null;
  /** By the true time, as links are. */
  @Property({ type: 'datetime' }) endsAt!: Date;
}
