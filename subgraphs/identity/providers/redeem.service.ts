import { Refusal } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../../_kernel/db.ts';
import { afterFirstProof, type SignedIn } from '../factors/first-proof.service.ts';
import { readBriefly } from '../tenant.service.ts';
import { User } from '../user.entity.ts';
import { activateBy } from './activation.service.ts';
import { EmailDomain } from './email-domain.entity.ts';
import { notProved } from './email-domain.rules.ts';
import { memberBySso } from './join.service.ts';
import { linkOf, makeLink } from './link.service.ts';
import { domainOf, linkNoMore, notLinked, type Provider } from './provider.rules.ts';
import { wayOf } from './provider.service.ts';
import type { SsoConnection } from './sso-connection.entity.ts';
import { noteTest } from './sso-connection.service.ts';
import { recordRefused, slugOf, takeVisit, type Visited } from './visit.service.ts';

/**
 * Signs in whoever came back from another provider; see `afterFirstProof` for what comes then. The account must be linked,
 * unless a tenant's own provider says it of a mail in a domain the tenant has proved, or the person is invited by the very
 * mail their provider has verified (identity R15).
 * Refuses INVALID for a code that is no longer good or a connection changed meanwhile, an account nobody has linked, and a mail outside those domains.
 */
export async function redeemSignIn(ctx: Context, code: string, verifier: string): Promise<SignedIn> {
  const visit = await takeVisit(ctx, code, verifier, ['SIGN_IN', 'ACTIVATE']);
  const way = await wayOf(ctx, visit.connection);
  if (!way) throw linkNoMore();
  try {
    return way.sso ? await bySso(ctx, visit, way.sso) : await byCommonProvider(ctx, visit, way.provider);
  } catch (error) {
    if (error instanceof Refusal && isOfProvider(error))
      await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => recordRefused(ctx, em, visit));
    throw error;
  }
}

const foreignMail = () => new Refusal('INVALID', "This mail is in none of the provider's domains.");
const isOfProvider = ({ message }: Refusal) => [notLinked(), foreignMail()].some((own) => own.message === message);

async function byCommonProvider(ctx: Context, visit: Visited, provider: Provider): Promise<SignedIn> {
  const { intent, transport, tenant } = visit;
  const user = intent === 'ACTIVATE' ? await activateBy(ctx, visit, provider) : await linkedPerson(ctx, visit);
  return afterFirstProof(ctx, { user, methods: ['OAUTH'], transport, tenant, settle: async () => undefined });
}

async function linkedPerson(ctx: Context, { issuer, subject }: Visited): Promise<User> {
  const user = await readBriefly(ctx, async (em) => {
    const link = await linkOf(em, issuer, subject);
    // What a tenant's provider linked is that tenant's word, and not enough for everywhere.
    return link && link.provider !== 'SSO' ? em.findOneOrFail(User, { id: link.userId }) : null;
  });
  if (user?.state !== 'ACTIVE') throw notLinked();
  return user;
}

async function bySso(ctx: Context, visit: Visited, sso: SsoConnection): Promise<SignedIn> {
  if (visit.connectionVersion !== sso.version) throw linkNoMore();
  await checkMail(ctx, visit, sso);
  if (sso.state !== 'ACTIVE') return tryOut(ctx, visit, sso);
  const { issuer, subject, transport, hasSecondFactor } = visit;
  const { user, isLinked } = await memberBySso(ctx, visit, sso);
  const link = (em: EntityManager) => makeLink(em, user.id, 'SSO', issuer, subject);
  return afterFirstProof(ctx, {
    ...{ user, methods: ['SSO'], transport, assertsSecondFactor: hasSecondFactor },
    tenant: await slugOf(ctx, sso.homeId),
    connectionId: sso.id,
    settle: async (em) => {
      if (!isLinked) await link(em);
    },
  });
}

/** Whoever manages a connection tries it in their own session, which stays as it is. */
async function tryOut(ctx: Context, visit: Visited, sso: SsoConnection): Promise<SignedIn> {
  if (visit.sessionId === null || visit.sessionId !== ctx.envelope.sessionId) throw linkNoMore();
  await noteTest(ctx.inTenant(sso.homeId), sso);
  return { session: null, tenants: [] };
}

/** A tenant's provider speaks for mails of the domains it serves, while they are proved. */
async function checkMail(ctx: Context, { email }: Visited, sso: SsoConnection): Promise<void> {
  const domain = domainOf(email ?? null);
  const served = await readBriefly(ctx, (em) => em.find(EmailDomain, { connectionId: sso.id, state: 'PROVED' }));
  if (served.length === 0) throw notProved('code');
  if (!served.some((one) => one.domain === domain)) throw foreignMail();
}
