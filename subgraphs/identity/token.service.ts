import { ACCESS_TOKEN_S, type AccessClaims, AUDIENCE, signAccessToken } from '../_kernel/access-token.ts';
import type { Context } from '../_kernel/context.ts';
import { deviceMarkOf } from './accounts/device.rules.ts';
import type { Membership } from './membership.entity.ts';
import { refreshTokenOf } from './refresh-token.rules.ts';
import type { Session, SessionTokens } from './session.entity.ts';
import { kindOf } from './session.rules.ts';
import { signingKey } from './token-key.service.ts';
import type { Realm } from './user.rules.ts';

/** A session as it stands, with what its tokens say. */
export interface OpenSession {
  session: Session;
  realm: Realm;
  membership: Membership | null;
  /** Those of the tenant its row lies in. */
  slug: string | null;
  name: string | null;
}

export const macKey = ({ machinery }: Context) => Buffer.from(machinery.config.IDENTITY_MAC_KEY, 'base64url');

const secondsOf = (date: Date) => Math.floor(date.getTime() / 1_000);

/**
 * The tokens of a session's present generation. All of it follows from the row, so the same generation gets the same
 * answer, whoever asks and from whichever process. With transport COOKIE the refresh token leaves as a cookie instead.
 */
export async function issueTokens(ctx: Context, open: OpenSession): Promise<SessionTokens> {
  const { session, membership, slug, name } = open;
  const claims = claimsOf(open, ctx.machinery.config.PUBLIC_URL);
  const { kid, privateKey } = await signingKey(ctx);
  const refreshToken = refreshTokenOf(macKey(ctx), session.id, session.generation);
  const isCookie = session.transport === 'COOKIE';
  if (isCookie) {
    const maxAgeSeconds = secondsOf(session.idleUntil) - secondsOf(session.rotatedAt);
    ctx.reply.refreshCookie = { value: refreshToken, maxAgeSeconds };
  }
  return {
    accessToken: signAccessToken(claims, kid, privateKey),
    expiresAt: new Date(claims.exp * 1_000),
    refreshToken: isCookie ? null : refreshToken,
    refreshExpiresAt: session.idleUntil,
    sessionId: session.id,
    deviceMark: deviceMarkOf(macKey(ctx), session.userId, session.id),
    tenant: membership && slug && name ? { id: membership.homeId, slug, name } : null,
    mustDo: session.mustDo,
  };
}

function claimsOf({ session, realm, membership }: OpenSession, issuer: string): AccessClaims {
  const iat = secondsOf(session.rotatedAt);
  return {
    iss: issuer,
    aud: AUDIENCE,
    sub: session.userId,
    sid: session.id,
    iat,
    exp: Math.min(iat + ACCESS_TOKEN_S, secondsOf(session.endsAt)),
    jti: `${session.id}.${session.generation}`,
    kind: kindOf(realm, membership),
    ...(membership ? { tid: membership.homeId, mid: membership.id, mv: membership.version } : {}),
    ...(session.strongAt ? { strong: secondsOf(session.strongAt) } : {}),
  };
}
