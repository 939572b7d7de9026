import { Arg, Ctx, Directive, Field, Float, Mutation, ObjectType, Query, Resolver } from 'type-graphql';
import { Internal } from '../../../schema/directives.ts';
import type { Context } from '../../_kernel/context.ts';
import * as service from './file.service.ts';

@ObjectType()
@Directive('@inaccessible')
class OpenedFile {
  @Field(() => String) type!: string;
  @Field(() => String) name!: string;
  @Field(() => String) ticket!: string;
}

/** Through these doors the gateway fetches what it serves at `/files/`. */
@Resolver()
export class FileResolver {
  @Mutation(() => OpenedFile, { nullable: true })
  @Internal()
  openFile(@Arg('token', () => String) token: string, @Ctx() ctx: Context) {
    return service.openFile(ctx, token);
  }

  @Query(() => String, { nullable: true })
  @Internal()
  filePart(
    @Arg('ticket', () => String) ticket: string,
    @Arg('offset', () => Float) offset: number,
    @Ctx() ctx: Context,
  ) {
    return service.readPart(ctx, ticket, offset);
  }
}
