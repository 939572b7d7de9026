import { Arg, Args, Ctx, Field, FieldResolver, ID, InputType, Query, Resolver, Root } from 'type-graphql';
import { OpenDoor, RequiresPermission } from '../../../schema/directives.ts';
import { checkPage, connectionOf, PageArgs } from '../../../schema/page.ts';
import type { Context } from '../../_kernel/context.ts';
import { personById } from '../loaders.ts';
import { SELF } from '../session.resolver.ts';
import { type SignInOutcome, SignInOutcomeEnum, SignInRecord } from '../sign-in-record.entity.ts';
import { User } from '../user.entity.ts';
import * as service from './sign-in-record.service.ts';

const SignInRecordConnection = connectionOf(SignInRecord, 'SignInRecord');

@InputType()
class SignInFilter {
  @Field(() => ID, { nullable: true }) userId?: string | null;
  @Field(() => SignInOutcomeEnum, { nullable: true }) outcome?: SignInOutcome | null;
}

@Resolver(() => SignInRecord)
export class SignInRecordResolver {
  @Query(() => SignInRecordConnection, { description: "One's own attempts to sign in, the newest first." })
  @OpenDoor(SELF)
  mySignIns(@Args(() => PageArgs) page: PageArgs, @Ctx() ctx: Context) {
    checkPage(page);
    return service.mySignIns(ctx, page);
  }

  @Query(() => SignInRecordConnection, { description: 'Attempts to sign in to this tenant, the newest first.' })
  @RequiresPermission('identity.sign_in.read')
  signIns(
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => SignInFilter, { nullable: true }) filter: SignInFilter | null,
    @Ctx() ctx: Context,
  ) {
    checkPage(page);
    return service.signIns(ctx, filter ?? {}, page);
  }

  @FieldResolver(() => User, { nullable: true, description: 'Whose attempt it was, where this tenant knows them.' })
  user(@Root() { userId }: SignInRecord, @Ctx() ctx: Context) {
    return userId && ctx.envelope.tenantId ? ctx.load(personById, userId) : null;
  }
}
