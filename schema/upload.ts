import { Directive, Field, ID, Int, ObjectType } from 'type-graphql';
import { DateTime } from './scalars.ts';

@ObjectType({ description: 'A place to put a file, once, before it is named in a mutation.' })
@Directive('@shareable')
export class Upload {
  @Field(() => ID, { description: 'What to name it by.' }) id!: string;
  @Field(() => String, { description: 'Where to `PUT` its bytes; whoever holds the address may.' }) url!: string;
  @Field(() => Int) maxBytes!: number;
  @Field(() => DateTime, { description: 'It is put before then.' }) expiresAt!: Date;
}
