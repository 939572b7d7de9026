import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  InputType,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  registerEnumType,
} from 'type-graphql';
import {
  Cost,
  Internal,
  ListSize,
  NotWhileActing,
  OpenDoor,
  RequiresStrongProof,
  WhileMustDo,
} from '../../../schema/directives.ts';
import { payload, UserError } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import { DonePayload, done } from '../done.payload.ts';
import { IdInput } from '../id.input.ts';
import { ProofMethodEnum, TransportEnum } from '../session.entity.ts';
import type { ProofMethod, Transport } from '../session.rules.ts';
import { answer, SignInPayload } from '../sign-in.payload.ts';
import { Me } from '../user.resolver.ts';
import { signInMethods } from './ask-methods.service.ts';
import * as links from './link.service.ts';
import { LinkedIdentity, ProviderEnum } from './linked-identity.entity.ts';
import type { OAuthIntent, Provider } from './provider.rules.ts';
import { redeemSignIn } from './redeem.service.ts';
import { finishOAuth, startOAuth } from './visit.service.ts';

const OAuthIntentEnum = { SIGN_IN: 'SIGN_IN', LINK: 'LINK' } as const satisfies { [I in OAuthIntent]: I };
registerEnumType(OAuthIntentEnum, {
  name: 'OAuthIntent',
  description: 'What somebody goes to another provider for.',
  valuesConfig: { LINK: { description: 'To sign in with it from then on; needs a session.' } },
});

/** A stranger makes us write a row, and ask a provider for what it says of itself. */
const START_COST = 10;

@InputType()
class StartOAuthInput {
  @Field(() => String, { description: 'As `signInMethods` names it.' }) connection!: string;
  @Field(() => OAuthIntentEnum) intent!: OAuthIntent;
  @Field(() => String, { description: 'A page of one of our portals; it gets `code`, or `error`.' }) returnTo!: string;
  @Field(() => String, { description: 'SHA-256 of the verifier the browser keeps, base64url (RFC 7636).' })
  codeChallenge!: string;
  @Field(() => TransportEnum, {
    defaultValue: 'COOKIE',
    description: 'COOKIE for browsers, BODY for whoever keeps no cookies.',
  })
  transport!: Transport;
  @Field(() => String, { nullable: true, description: 'Slug of the tenant to begin in.' }) tenant?: string | null;
}

@ObjectType()
class OAuthStartPayload {
  @Field(() => String, { nullable: true, description: 'Where the browser goes next.' }) url?: string | null;
  @Field(() => [UserError]) userErrors!: UserError[];
}

@InputType()
class RedeemInput {
  @Field(() => String, { description: 'What the page was called with; good once, for a minute.' }) code!: string;
  @Field(() => String, { description: 'The verifier of the browser that began.' }) verifier!: string;
}

@ObjectType({ description: 'A way to another provider.' })
class ProviderWay {
  @Field(() => String, { description: 'For `startOAuth`.' }) connection!: string;
  @Field(() => ProviderEnum) provider!: Provider;
}

@ObjectType({ description: 'How somebody may sign in. It follows from the realm and the domain of the mail alone.' })
class SignInMethods {
  @Field(() => [ProofMethodEnum], { description: 'What a sign-in may begin with.' }) methods!: ProofMethod[];
  @Field(() => [ProviderWay]) @ListSize(5) providers!: ProviderWay[];
  @Field(() => Boolean, { description: 'Passwords are refused but for those named for emergencies.' })
  isSsoRequired!: boolean;
}

@Resolver(() => Me)
export class OtherProvidersResolver {
  @Query(() => SignInMethods, { description: 'How the people of an ISP, or with mails of a domain, may sign in.' })
  @OpenDoor('A sign-in page asks before anybody has signed in.')
  @Cost(5)
  signInMethods(
    @Arg('realm', () => String, { nullable: true }) realm: string | null | undefined,
    @Arg('email', () => String, { nullable: true }) email: string | null | undefined,
    @Ctx() ctx: Context,
  ) {
    return signInMethods(ctx, realm ?? null, email ?? null);
  }

  @Mutation(() => OAuthStartPayload)
  @OpenDoor('Nobody is signed in before signing in; the use case asks who links.')
  @NotWhileActing()
  @WhileMustDo()
  @Cost(START_COST)
  startOAuth(@Arg('input', () => StartOAuthInput) input: StartOAuthInput, @Ctx() ctx: Context) {
    return payload(async () => ({ url: await startOAuth(ctx, input) }));
  }

  @Mutation(() => SignInPayload, { description: 'Signs in whoever came back from another provider.' })
  @OpenDoor('The code and the verifier are what prove.')
  @WhileMustDo()
  @Cost(START_COST)
  redeemSignIn(@Arg('input', () => RedeemInput) { code, verifier }: RedeemInput, @Ctx() ctx: Context) {
    return answer(() => redeemSignIn(ctx, code, verifier));
  }

  @Mutation(() => DonePayload, { description: 'From then on one signs in with this account too.' })
  @OpenDoor('Any signed-in person about themselves, also with a token without tenant; the use case asks who it is.')
  @RequiresStrongProof()
  linkIdentity(@Arg('input', () => RedeemInput) { code, verifier }: RedeemInput, @Ctx() ctx: Context) {
    return done(() => links.linkIdentity(ctx, code, verifier));
  }

  @Mutation(() => DonePayload)
  @OpenDoor('Any signed-in person about themselves, also with a token without tenant; the use case asks who it is.')
  @RequiresStrongProof()
  unlinkIdentity(@Arg('input', () => IdInput) { id }: IdInput, @Ctx() ctx: Context) {
    return done(() => links.unlinkIdentity(ctx, id));
  }

  @FieldResolver(() => [LinkedIdentity], { description: 'Accounts at other providers one signs in with.' })
  @ListSize(10)
  identities(@Ctx() ctx: Context) {
    return links.myIdentities(ctx);
  }

  @Mutation(() => String, { nullable: true })
  @Internal()
  finishOAuth(
    @Arg('connection', () => String) connection: string,
    @Arg('query', () => String) query: string,
    @Ctx() ctx: Context,
  ) {
    return finishOAuth(ctx, connection, query);
  }
}
