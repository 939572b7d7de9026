import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** A person's password. Whoever has no row here has none. */
@Entity({ schema: 'identity', tableName: 'credential' })
export class Credential {
  @PrimaryKey({ type: 'uuid' }) userId!: string;
  /** argon2id in PHC form, its parameters included. */
  @Property({ type: 'string' }) hash!: string;
}
