import { Field, ID, InputType } from 'type-graphql';
import { TransportEnum } from '../session.entity.ts';
import type { Transport } from '../session.rules.ts';

@InputType()
export class RegisterInput {
  @Field(() => String) email!: string;
  @Field(() => String, { description: '12 to 128 characters, and none of the most used passwords.' }) password!: string;
  @Field(() => String) displayName!: string;
  @Field(() => String, { nullable: true, description: 'BCP 47.' }) locale?: string | null;
}

@InputType()
export class ProofInput {
  @Field(() => String, { description: 'From the fragment of the link in the mail.' }) token!: string;
}

@InputType()
export class ActivateInput {
  @Field(() => String, { description: 'From the fragment of the link in the mail.' }) token!: string;
  @Field(() => String, {
    description: '12 to 128 characters, subscribers from 10, and none of the most used passwords.',
  })
  password!: string;
  @Field(() => String, { nullable: true, description: 'Left out to stay called as one was written down.' })
  displayName?: string | null;
  @Field(() => TransportEnum, { description: 'COOKIE for browsers, BODY for whoever keeps no cookies.' })
  transport!: Transport;
}

@InputType()
export class ResetRequestInput {
  @Field(() => String) email!: string;
  @Field(() => String, { nullable: true, description: 'Slug of the ISP whose customer it is. Staff leaves it out.' })
  realm?: string | null;
}

@InputType()
export class ResetInput {
  @Field(() => String, { description: 'From the fragment of the link in the mail.' }) token!: string;
  @Field(() => String, {
    description: '12 to 128 characters, subscribers from 10, and none of the most used passwords.',
  })
  password!: string;
}

@InputType()
export class ChangePasswordInput {
  @Field(() => String, { description: 'The new one.' }) password!: string;
}

@InputType()
export class ChangeEmailInput {
  @Field(() => String, { description: 'The new one; it counts once its link was followed.' }) email!: string;
}

@InputType()
export class ProfileInput {
  @Field(() => String, { nullable: true, description: 'Left out to stay as it is.' }) displayName?: string | null;
  @Field(() => String, { nullable: true, description: 'BCP 47; left out to stay as it is.' }) locale?: string | null;
}

@InputType()
export class UserReasonInput {
  @Field(() => ID) userId!: string;
  @Field(() => String, { description: '5 to 200 characters.' }) reason!: string;
}
