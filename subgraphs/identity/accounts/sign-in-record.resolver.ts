import { Arg, Args, Ctx, Field, FieldResolver, ID, InputType, ObjectType, Query, Resolver, Root } from 'type-graphql';
import { Cost, OpenDoor, RequiresPermission } from '../../../schema/directives.ts';
import { checkPage, connectionOf, PageArgs } from '../../../schema/page.ts';
import type { Context } from '../../_kernel/context.ts';
import { personById } from '../loaders.ts';
import { ProofMethodEnum } from '../session.entity.ts';
import { SELF } from '../session.resolver.ts';
import type { ProofMethod } from '../session.rules.ts';
import { type SignInOutcome, SignInOutcomeEnum, SignInRecord } from '../sign-in-record.entity.ts';
import { User } from '../user.entity.ts';
import * as service from './sign-in-record.service.ts';

const SignInRecordConnection = connectionOf(SignInRecord, 'SignInRecord');

@InputType()
class SignInFilter {
  @Field(() => ID, { nullable: true }) userId?: string | null;
  @Field(() => SignInOutcomeEnum, { nullable: true }) outcome?: SignInOutcome | null;
}

@ObjectType({ description: 'How somebody may sign in here. It tells nothing about an account.' })
class SignInMethods {
  @Field(() => [ProofMethodEnum]) methods!: ProofMethod[];
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

  @Query(() => SignInMethods, { description: 'How the people of an ISP, or with mails of a domain, may sign in.' })
  @OpenDoor('A sign-in page asks before anybody has signed in.')
  @Cost(5)
  async signInMethods(
    @Arg('realm', () => String, { nullable: true }) _realm: string | null,
    @Arg('email', () => String, { nullable: true }) _email: string | null,
    @Ctx() ctx: Context,
  ): Promise<SignInMethods> {
    return { methods: await service.signInMethods(ctx) };
  }
}
