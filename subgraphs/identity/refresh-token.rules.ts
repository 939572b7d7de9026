import { createHmac, timingSafeEqual } from 'node:crypto';

const SHAPE = /^isp_rt_([0-9a-f]{32})\.([0-9a-z]{1,7})\.([A-Za-z0-9_-]{43})$/;

const macOf = (key: Buffer, sessionId: string, generation: number) =>
  createHmac('sha256', key).update(`refresh|${sessionId}|${generation}`).digest();

/** The refresh token of a session's generation: computed, so that nothing is stored that could be stolen (identity R7). */
export function refreshTokenOf(key: Buffer, sessionId: string, generation: number): string {
  const mac = macOf(key, sessionId, generation).toString('base64url');
  return `isp_rt_${sessionId.replaceAll('-', '')}.${generation.toString(36)}.${mac}`;
}

export interface RefreshClaim {
  sessionId: string;
  generation: number;
}

/** What a refresh token claims, if its MAC is ours; undefined for anything else. */
export function readRefreshToken(key: Buffer, text: string): RefreshClaim | undefined {
  const [, hex, generationText, mac] = SHAPE.exec(text) ?? [];
  if (!hex || !generationText || !mac) return undefined;
  const sessionId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  const generation = Number.parseInt(generationText, 36);
  const isOurs = timingSafeEqual(macOf(key, sessionId, generation), Buffer.from(mac, 'base64url'));
  return isOurs && refreshTokenOf(key, sessionId, generation) === text ? { sessionId, generation } : undefined;
}
