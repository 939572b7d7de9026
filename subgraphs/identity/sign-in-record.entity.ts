import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { ProofMethod } from './session.rules.ts';

export type SignInOutcome =
  | 'OK'
  | 'BAD_SECRET'
  | 'LOCKED'
  | 'BAD_FACTOR'
  | 'NO_TENANT'
  | 'POLICY'
  | 'PROVIDER'
  | 'REUSED';

/** One attempt to sign in, kept as it happened. Never holds a secret. */
@Entity({ schema: 'identity', tableName: 'sign_in_record' })
export class SignInRecord {
  @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'uuid', nullable: true }) userId!: string | null;
  /** A keyed hash of the mail where nobody is known by it. */
  @Property({ type: 'string', nullable: true }) mailHash!: string | null;
  @Property({ type: 'uuid', nullable: true }) homeId!: string | null;
  @Property({ type: 'uuid', nullable: true }) membershipId!: string | null;
  @Property({ type: 'uuid', nullable: true }) sessionId!: string | null;
  @Property({ type: 'string' }) outcome!: SignInOutcome;
  @Property({ type: 'string' }) method!: ProofMethod | 'REFRESH';
  @Property({ type: 'string', nullable: true }) address!: string | null;
}
