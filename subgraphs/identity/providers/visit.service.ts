import { createHash, createHmac, randomBytes } from 'node:crypto';
import { uuidv7 } from 'uuidv7';
import { Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import type { Context } from '../../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../../_kernel/db.ts';
import type { Transport } from '../session.rules.ts';
import { selfOf } from '../session.service.ts';
import { record } from '../sign-in-record.service.ts';
import { presentOf, profilesOf } from '../tenant.service.ts';
import { macKey } from '../token.service.ts';
import { refuseBound } from './bound-session.service.ts';
import {
  CODE_MS,
  checkCodeChallenge,
  checkReturnTo,
  isVerifierOf,
  linkNoMore,
  type OAuthIntent,
  VISIT_MS,
  withParameter,
} from './provider.rules.ts';
import { callbackUrl, type Round, type Way, wayOf } from './provider.service.ts';
import { ProviderVisit } from './provider-visit.entity.ts';

export interface AskedVisit {
  /** google, microsoft, github, or the id of a tenant's connection. */
  connection: string;
  intent: OAuthIntent;
  returnTo: string;
  codeChallenge: string;
  transport: Transport;
  tenant?: string | null;
}

const hashOf = (secret: string) => createHash('sha256').update(secret).digest('base64url');
const draw = () => randomBytes(32).toString('base64url');

/** What follows from a state alone, so that nothing of it need be stored. */
function roundOf(ctx: Context, connection: string, state: string): Round {
  const of = (what: string) => createHmac('sha256', macKey(ctx)).update(`oauth ${what}|${state}`).digest('base64url');
  return { redirectUri: callbackUrl(ctx, connection), state, nonce: of('nonce'), verifier: of('verifier') };
}

/**
 * Sends somebody to another provider: answers the address to go to. Refuses INVALID for a page to return to that is on none
 * of our portals, NOT_FOUND for a connection there is not, INVALID_STATE where the provider does not answer. A connection
 * that is not ACTIVE is there for those alone who manage it, to try it.
 */
export async function startOAuth(ctx: Context, asked: AskedVisit): Promise<string> {
  const { ALLOWED_ORIGINS, PUBLIC_URL } = ctx.machinery.config;
  const returnTo = checkReturnTo(asked.returnTo, [...ALLOWED_ORIGINS, new URL(PUBLIC_URL).origin]);
  const codeChallenge = checkCodeChallenge(asked.codeChallenge);
  const way = await wayOf(ctx, asked.connection);
  if (!way || !isOpenTo(ctx, way, asked.intent)) throw noConnection();
  const isLink = asked.intent === 'LINK';
  if (isLink) await refuseBound(ctx);
  const sessionId = isLink ? selfOf(ctx).sessionId : (way.sso && (ctx.envelope.sessionId ?? null)) || null;
  const state = draw();
  const url = await way.client.authorizationUrl(roundOf(ctx, way.connection, state)).catch((error: Error) => {
    ctx.log.warn({ err: error, connection: way.connection }, 'another provider does not answer');
    throw new Refusal('INVALID_STATE', 'The provider does not answer. Please sign in another way.', 'connection');
  });
  await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    const { now } = await presentOf(em);
    await em.nativeDelete(ProviderVisit, { expiresAt: { $lte: now } });
    em.persist(
      em.create(ProviderVisit, {
        ...{ id: uuidv7(), stateHash: hashOf(state), connection: way.connection, returnTo, codeChallenge, sessionId },
        ...{ intent: asked.intent, transport: asked.transport, homeId: way.sso?.homeId ?? null },
        connectionVersion: way.sso?.version ?? null,
        tenant: asked.tenant ?? null,
        expiresAt: new Date(now.getTime() + VISIT_MS),
      }),
    );
  });
  return url;
}

function isOpenTo(ctx: Context, { sso }: Way, intent: OAuthIntent): boolean {
  if (!sso) return true;
  if (intent !== 'SIGN_IN') return false;
  const isTheirs = ctx.envelope.tenantId === sso.homeId && ctx.can('identity.policy.manage');
  return sso.state === 'ACTIVE' || isTheirs;
}

const noConnection = () => new Refusal('NOT_FOUND', 'There is no such connection.', 'connection');

/**
 * Takes somebody back from a provider: checks all that it says and answers the page to go on to, with a code that is good
 * for a minute and once, or with what went wrong. Null for a state that is unknown, used or too old.
 * @param query what the browser brought, as the provider made it.
 */
export async function finishOAuth(ctx: Context, connection: string, query: string): Promise<string | null> {
  const state = new URLSearchParams(query).get('state') ?? '';
  const visit = await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    const [row] = await em.execute(
      `update identity.provider_visit set is_back = true
       where state_hash = ? and connection = ? and not is_back and expires_at > clock_timestamp() returning *`,
      [hashOf(state), connection],
    );
    return row ? em.map(ProviderVisit, row) : null;
  });
  if (!visit) return null;
  const way = await wayOf(ctx, connection);
  const asserted = await way?.client.identify(roundOf(ctx, connection, state), query).catch((error: Error) => {
    ctx.log.info({ connection, error: error.message }, 'what another provider says is not believed');
    return undefined;
  });
  const code = draw();
  const isKept = await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    if (!asserted) {
      await em.nativeDelete(ProviderVisit, { id: visit.id });
      recordRefused(ctx, em, visit);
      return false;
    }
    const { now } = await presentOf(em);
    const held = await em.findOneOrFail(ProviderVisit, { id: visit.id });
    Object.assign(held, asserted, { codeHash: hashOf(code), expiresAt: new Date(now.getTime() + CODE_MS) });
    return true;
  });
  return isKept ? withParameter(visit.returnTo, 'code', code) : withParameter(visit.returnTo, 'error', 'provider');
}

/** Writes down that somebody was not let in by what a provider said. */
export const recordRefused = (ctx: Context, em: EntityManager, { homeId }: Pick<ProviderVisit, 'homeId'>): void =>
  record(ctx, em, { outcome: 'PROVIDER', method: homeId ? 'SSO' : 'OAUTH', ...(homeId ? { homeId } : {}) });

/** A visit that has come back, with who came. */
export type Visited = ProviderVisit & { issuer: string; subject: string };

/**
 * Uses the code of a visit up; it is gone whatever comes of it. Refuses INVALID for one that is unknown, used, too old or of
 * another purpose, and where the verifier is not the one of the browser that began.
 */
export async function takeVisit(ctx: Context, code: string, verifier: string, intent: OAuthIntent): Promise<Visited> {
  const visit = await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    const [row] = await em.execute(
      'delete from identity.provider_visit where code_hash = ? and expires_at > clock_timestamp() returning *',
      [hashOf(code)],
    );
    return row ? (em.map(ProviderVisit, row) as Visited) : null;
  });
  if (!visit || visit.intent !== intent || !isVerifierOf(visit.codeChallenge, verifier)) throw linkNoMore();
  return visit;
}

/** The slug of a tenant. */
export async function slugOf(ctx: Context, tenantId: string): Promise<string | null> {
  if (!isId(tenantId)) return null;
  return ctx.acrossTenants(async (em) => (await profilesOf(em, [tenantId])).get(tenantId)?.slug ?? null);
}
