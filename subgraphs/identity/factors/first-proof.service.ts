import type { Context } from '../../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../../_kernel/db.ts';
import type { Membership } from '../membership.entity.ts';
import { everyPlaceOf, lastMembershipIdOf, type Place } from '../place.service.ts';
import { refusedByPolicy } from '../policy/policy-refusal.service.ts';
import { type PolicyVerdict, policyVerdict } from '../policy/sign-in-policy.rules.ts';
import { besideOf, isPasswordRefused } from '../providers/required-sso.service.ts';
import type { SessionTokens } from '../session.entity.ts';
import type { ProofMethod, Transport } from '../session.rules.ts';
import { openSession } from '../session.service.ts';
import { chooseMembership, usableOf } from '../sign-in.rules.ts';
import { record } from '../sign-in-record.service.ts';
import { readBriefly } from '../tenant.service.ts';
import { issueTokens } from '../token.service.ts';
import type { User } from '../user.entity.ts';
import type { SignInChallenge } from './challenge.entity.ts';
import { answersOf, type HeldFactors, isStrong, isTwice } from './challenge.rules.ts';
import { openChallenge } from './challenge.service.ts';

/** Somebody has proved once who they are, in whatever way. */
export interface FirstProof {
  user: User;
  /** How, in the order they did; what a challenge proved stands last. */
  methods: readonly ProofMethod[];
  /** Whether a provider vouches for a second factor (`amr`): none of ours is asked for then, and the proof is not strong. */
  assertsSecondFactor?: boolean;
  transport: Transport;
  /** Slug of the tenant to begin in. */
  tenant?: string | null;
  /** To the tenant's own provider, where that gave the proof. */
  connectionId?: string | null;
  /**
   * What the proof changes, such as failures it forgets or a link it uses up. Runs once, in the transaction of whatever
   * comes of it: the session, the challenge, or the record of a refusal.
   */
  settle: (em: EntityManager) => Promise<void>;
}

/** A session, or what is still to be proved before there is one. */
export interface SignedIn {
  session: SessionTokens | null;
  challenge?: SignInChallenge | null;
  /** The memberships the person may switch to. */
  tenants: Membership[];
}

/**
 * Goes on from any first proof: asks whoever has a second factor for it, and signs everybody else in, into the tenant they
 * ask for, their only one, or the one they used last; otherwise into none, with the list to choose from. Before the second
 * factor there is no session, token or event (identity R11).
 * Refuses INVALID or INVALID_STATE with field `tenant` for a tenant that has no place for them or whose policy they do not
 * meet, and a password where a tenant asks for its own provider; what more proof can mend is asked for instead.
 */
export async function afterFirstProof(ctx: Context, proof: FirstProof): Promise<SignedIn> {
  const { user, methods, assertsSecondFactor = false } = proof;
  const [{ held, domain }, everywhere] = await Promise.all([
    readBriefly(ctx, (em) => besideOf(em, user)),
    user.state === 'ACTIVE' ? everyPlaceOf(ctx, user.id) : [],
  ]);
  if (methods[0] === 'PWD' && (await isPasswordRefused(ctx, user, domain)))
    throw await refusedByPolicy(ctx, 'SSO', user.id, proof.settle, methods.at(-1));
  const answers = answersOf(held);
  if (!assertsSecondFactor && !isTwice(methods) && answers.length > 0) return ask(ctx, proof, answers);
  const proved = assertsSecondFactor ? [...methods, 'OTP' as const] : methods;
  return enter(ctx, { ...proof, methods: proved }, everywhere, held, isStrong(methods, held));
}

async function ask(ctx: Context, proof: FirstProof, answers: ProofMethod[]): Promise<SignedIn> {
  const { user, methods, transport, tenant = null, connectionId = null, settle } = proof;
  const challenge = await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    await settle(em);
    const asked = { userId: user.id, realm: user.realm, methods: [...methods], answers, transport, tenant };
    return openChallenge(ctx, em, { purpose: 'SIGN_IN', ...asked, connectionId });
  });
  return { session: null, challenge, tenants: [] };
}

/** Into the tenant there is to go to, if its policy is met; what it still asks for becomes another challenge. */
async function enter(
  ctx: Context,
  proof: FirstProof,
  everywhere: Place[],
  held: HeldFactors,
  isStrongProof: boolean,
): Promise<SignedIn> {
  const { user, methods, tenant = null, settle } = proof;
  // A tenant's own provider speaks for that tenant alone.
  const places = methods.includes('SSO') ? everywhere.filter(({ slug }) => slug === tenant) : everywhere;
  const lastId = places.length > 1 ? await lastMembershipIdOf(ctx, user.id) : null;
  const place = await choose(ctx, places, tenant, lastId, proof);
  const verdict = place ? verdictOf(ctx, place, methods, held) : NO_POLICY;
  if (verdict.kind === 'REFUSED') throw await refusedByPolicy(ctx, verdict.why, user.id, settle, methods.at(-1));
  if (verdict.kind === 'PROVE') return ask(ctx, { ...proof, tenant: place?.slug ?? tenant }, verdict.answers);
  const opened = await openSession(ctx, { ...proof, isStrong: isStrongProof, mustDo: verdict.mustDo }, place);
  const session = await issueTokens(ctx, opened);
  const tenants = usableOf(places).map(({ membership }) => Object.assign(membership, { user }));
  return { session, tenants };
}

const NO_POLICY: PolicyVerdict = { kind: 'MET', mustDo: [] };

function verdictOf(
  ctx: Context,
  { policy, membership: { kind, roles } }: Place,
  methods: readonly ProofMethod[],
  held: HeldFactors,
): PolicyVerdict {
  return policyVerdict(policy, { kind, roles, methods, held, address: ctx.envelope.address });
}

/** As the rule says; a refusal is written down, and settles the proof because it was right. */
async function choose(
  ctx: Context,
  places: Place[],
  slug: string | null,
  lastId: string | null,
  { user, methods, settle }: FirstProof,
): Promise<Place | null> {
  try {
    return chooseMembership(places, slug, lastId);
  } catch (refusal) {
    await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
      record(ctx, em, { outcome: 'NO_TENANT', method: methods.at(-1) ?? 'PWD', userId: user.id });
      await settle(em);
    });
    throw refusal;
  }
}
