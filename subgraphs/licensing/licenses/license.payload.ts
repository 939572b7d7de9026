import { Field, ObjectType } from 'type-graphql';
import { UserError } from '../../../schema/payload.ts';
import { Propagation } from '../gateways/gateway-feed.entity.ts';
import { License } from './license.entity.ts';
import { LicenseChange } from './license-change.entity.ts';

/** The payload type of a mutation that changes a licence. */
function changePayloadOf(name: string) {
  @ObjectType(name)
  class ChangePayload {
    @Field(() => License, { nullable: true }) license?: License | null;
    @Field(() => LicenseChange, { nullable: true, description: 'The version it made; null if nothing had an effect.' })
    change?: LicenseChange | null;
    @Field(() => Propagation, { nullable: true }) propagation?: Propagation | null;
    @Field(() => [UserError]) userErrors!: UserError[];
  }
  return ChangePayload;
}

export const LicensePayload = changePayloadOf('LicensePayload');
export const LicenseChangePayload = changePayloadOf('LicenseChangePayload');
