import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { ProofPurpose } from './mail-proof.rules.ts';

/** What the link of a mail proves: that somebody reads the mails of this address. */
@Entity({ schema: 'identity', tableName: 'mail_proof' })
export class MailProof {
  @PrimaryKey({ type: 'string' }) hash!: string;
  @Property({ type: 'uuid' }) userId!: string;
  @Property({ type: 'string' }) purpose!: ProofPurpose;
  /** Of CHANGE: the address that is proved. */
  @Property({ type: 'string', nullable: true }) newEmail!: string | null;
  @Property({ type: 'datetime' }) expiresAt!: Date;
}
