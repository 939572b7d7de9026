import { Arg, Args, Ctx, Query, Resolver } from 'type-graphql';
import { SignedIn } from '../../../schema/directives.ts';
import { checkPage, connectionOf, PageArgs } from '../../../schema/page.ts';
import type { Context } from '../../_kernel/context.ts';
import { User } from '../user.entity.ts';
import { assignees } from './assignee.service.ts';

const UserConnection = connectionOf(User, 'User');

@Resolver()
export class AssigneeResolver {
  @Query(() => UserConnection, { description: 'Active staff who may do something, by name: who work can be given to.' })
  @SignedIn()
  assignees(
    @Arg('permission', () => String, { description: '`domain.noun.action`.' }) permission: string,
    @Arg('text', () => String, { nullable: true, description: 'Part of their name.' }) text: string | null | undefined,
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() ctx: Context,
  ) {
    checkPage(page);
    return assignees(ctx, { permission, text }, page);
  }
}
