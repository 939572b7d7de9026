import { type AccessClaims, AUDIENCE, signAccessToken } from '../../_kernel/access-token.ts';
import type { Context } from '../../_kernel/context.ts';
import type { Membership } from '../membership.entity.ts';
import { signingKey } from '../token-key.service.ts';
import type { Impersonation } from './impersonation.entity.ts';

export interface ActingToken {
  accessToken: string | null;
  expiresAt: Date | null;
}

const secondsOf = (date: Date) => Math.floor(date.getTime() / 1_000);

/**
 * The token of a LIVE impersonation: it speaks for the person, names the operator in `act`, which is what a portal shows
 * its banner by, and ends with the impersonation. Nothing renews it.
 */
export async function actingToken(ctx: Context, held: Impersonation, member: Membership): Promise<ActingToken> {
  const claims: AccessClaims = {
    iss: ctx.machinery.config.PUBLIC_URL,
    aud: AUDIENCE,
    sub: held.userId,
    sid: held.id,
    iat: secondsOf(held.startedAt ?? held.requestedAt),
    exp: secondsOf(held.endsAt),
    jti: held.id,
    kind: member.kind,
    ...{ tid: held.homeId, mid: member.id, mv: member.version },
    act: { sub: held.operatorId, imp: held.id },
  };
  const { kid, privateKey } = await signingKey(ctx);
  return { accessToken: signAccessToken(claims, kid, privateKey), expiresAt: new Date(claims.exp * 1_000) };
}
