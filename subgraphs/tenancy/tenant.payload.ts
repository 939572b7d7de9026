import { Field, ID, InputType } from 'type-graphql';
import { payloadOf } from '../../schema/payload.ts';
import { Tenant } from './tenant.entity.ts';

export const TenantPayload = payloadOf('TenantPayload', 'tenant', () => Tenant);

@InputType()
export class TenantInput {
  @Field(() => ID) tenantId!: string;
}
