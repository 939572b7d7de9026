import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { Channel, Hosting, Isolation } from './placement.rules.ts';

export const IsolationEnum = { SHARED: 'SHARED', DEDICATED: 'DEDICATED' } as const satisfies { [I in Isolation]: I };
export const HostingEnum = { PLATFORM: 'PLATFORM', CUSTOMER: 'CUSTOMER' } as const satisfies { [H in Hosting]: H };
export const ChannelEnum = { STABLE: 'STABLE', NEXT: 'NEXT' } as const satisfies { [C in Channel]: C };
registerEnumType(IsolationEnum, {
  name: 'Isolation',
  description: 'Whether a tenant shares a database with others behind row-level security, or has one of its own.',
});
registerEnumType(HostingEnum, { name: 'Hosting', description: 'Who runs the machines.' });
registerEnumType(ChannelEnum, { name: 'Channel', description: 'Which releases a tenant gets.' });

@ObjectType({ description: 'Where the data of a tenant lives.' })
@Entity({ schema: 'tenancy', tableName: 'placement' })
export class Placement {
  /** The tenant's own. */
  @PrimaryKey({ type: 'uuid' }) id!: string;
  @Field(() => Int, { description: 'One more with each move.' }) @Property({ type: 'integer' }) version!: number;
  @Field(() => IsolationEnum) @Property({ type: 'string' }) isolation!: Isolation;
  @Property({ type: 'uuid' }) dataHomeId!: string;
  @Field(() => String) @Property({ type: 'string' }) region!: string;
  @Field(() => HostingEnum) @Property({ type: 'string' }) hosting!: Hosting;
  @Field(() => ChannelEnum) @Property({ type: 'string' }) channel!: Channel;
}
