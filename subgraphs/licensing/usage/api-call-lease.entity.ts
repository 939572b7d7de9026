import { Directive, Field, Int, ObjectType } from 'type-graphql';
import { DateTime } from '../../../schema/scalars.ts';

@ObjectType({ description: 'Calls a gateway may let in without asking; counted as used until they are given back.' })
@Directive('@inaccessible')
export class ApiCallLease {
  @Field(() => Int, { description: '0 when nothing is left: the rest says what holds.' }) granted!: number;
  @Field(() => String, { nullable: true }) message!: string | null;
  @Field(() => String, { nullable: true }) limit!: string | null;
  @Field(() => String, { nullable: true }) used!: string | null;
  @Field(() => DateTime, { nullable: true }) resetsAt!: Date | null;
}
