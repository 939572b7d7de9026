import { createPublicKey, randomUUID, verify } from 'node:crypto';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import type { Authenticator } from '../../gateway/auth.ts';
import { type AccessClaims, AUDIENCE, signAccessToken } from '../../subgraphs/_kernel/access-token.ts';
import { signingKey } from '../../subgraphs/identity/token-key.service.ts';
import { openGatewayWorld } from '../../tests/setup/gateway.ts';
import type { World } from '../../tests/setup/world.ts';
import { median, percentile, type Result } from '../setup.ts';
import { claimsOf, makeKey } from './people.ts';

const ADDRESS = '127.0.0.1';
const ROUNDS = 3;
const KNOWN = 5_000;
const NEW = 500;
const STRANGE = 100;
const KNOWN_BOUND_US = 20;
const NEW_BOUND_US = 500;
const STRANGE_BOUND_US = 10_000;

/** Kinds of what is asked, and how long each look took, microseconds. */
type Looks = Record<'token' | 'key' | 'fresh' | 'strange' | 'jose' | 'bare', number[]>;

/**
 * What it takes the gateway to find out who asks: by a token or key it has met, by one it has not, and by one of a session
 * it knows nothing of. Beside it, in the same rounds, what `jose` takes for one token, and its signature alone.
 */
export async function checks(): Promise<Result[]> {
  const { world, gateway, client, password, close } = await openGatewayWorld();
  try {
    const { auth } = gateway.graph.parts;
    const { token } = await client.signIn('ingrid@northwind.example', password);
    const key = await makeKey(client, token);
    const claims = claimsOf(token);
    const sign = await signer(world);
    const jose = bareChecks(await auth.keySet(), world.config.PUBLIC_URL);
    const took: Looks = { token: [], key: [], fresh: [], strange: [], jose: [], bare: [] };
    const look = (kind: keyof Looks, of: string) => timed(took[kind], () => callerOf(auth, of));
    for (let i = 0; i < KNOWN; i++) await Promise.all([callerOf(auth, token), callerOf(auth, key)]); // as warm as it gets
    for (const kind of Object.keys(took) as (keyof Looks)[]) took[kind].length = 0;
    for (let round = 0; round < ROUNDS; round++) {
      for (let i = 0; i < KNOWN; i++) await look('token', token);
      for (let i = 0; i < KNOWN; i++) await look('key', key);
      for (let i = 0; i < NEW; i++) {
        const fresh = sign({ ...claims, jti: randomUUID() });
        await look('fresh', fresh);
        await timed(took.jose, () => jose.verifyToken(fresh));
        await timed(took.bare, async () => jose.verifySignature(fresh));
      }
      for (const sid of await openSessions(world, claims.sid, STRANGE)) {
        const strange = sign({ ...claims, sid, jti: randomUUID() });
        await look('strange', strange);
      }
    }
    return judge(took);
  } finally {
    await close();
  }
}

async function callerOf(auth: Authenticator, token: string): Promise<void> {
  const { tenantId } = await auth.authenticate(`Bearer ${token}`, ADDRESS);
  if (!tenantId) throw new Error('A caller without a tenant.');
}

async function timed(took: number[], run: () => Promise<unknown>): Promise<void> {
  const beganAt = performance.now();
  await run();
  took.push((performance.now() - beganAt) * 1_000);
}

/** Signs whatever is claimed, as identity would. */
async function signer(world: World): Promise<(claims: AccessClaims) => string> {
  const { kid, privateKey } = await signingKey(await world.system('platform', 'identity'));
  return (claims) => signAccessToken(claims, kid, privateKey);
}

function bareChecks(keySet: object, issuer: string) {
  const keys = createLocalJWKSet(keySet as JSONWebKeySet);
  const key = createPublicKey({ key: (keySet as { keys: [object] }).keys[0] as never, format: 'jwk' });
  return {
    verifyToken: (token: string) => jwtVerify(token, keys, { issuer, audience: AUDIENCE, typ: 'at+jwt' }),
    verifySignature(token: string) {
      const at = token.lastIndexOf('.');
      if (!verify(null, Buffer.from(token.slice(0, at)), key, Buffer.from(token.slice(at + 1), 'base64url')))
        throw new Error('A signature that was not right.');
    },
  };
}

/** Opens more sessions like one that is open; their ids. */
async function openSessions(world: World, like: string, count: number): Promise<string[]> {
  const rows = await world.sql(
    `insert into identity.session
     select made.* from identity.session s, generate_series(1, $2) n,
            lateral jsonb_populate_record(s, jsonb_build_object('id', md5(s.id::text || n || random())::uuid)) made
      where s.id = $1 returning id`,
    [like, count],
  );
  return rows.map(({ id }) => id);
}

const micros = (us: number) => (us < 1_000 ? `${us.toFixed(us < 100 ? 1 : 0)} µs` : `${(us / 1_000).toFixed(2)} ms`);

function judge(took: Looks): Result[] {
  const result = (what: string, kind: keyof Looks, boundUs: number): Result => {
    const p99 = percentile(took[kind], 0.99);
    const ratio = median(took[kind]) / median(took.jose);
    return {
      what: `${what}, p99`,
      figure: `${micros(p99)} (median ${micros(median(took[kind]))}, ${ratio.toFixed(ratio < 0.1 ? 3 : 2)} × a check by jose)`,
      bound: `≤ ${micros(boundUs)}`,
      holds: p99 <= boundUs,
    };
  };
  return [
    result('a token met before → who asks', 'token', KNOWN_BOUND_US),
    result('an API key met before → who asks', 'key', KNOWN_BOUND_US),
    result('a new token of a session met before', 'fresh', NEW_BOUND_US),
    result('a new token of a session not met before', 'strange', STRANGE_BOUND_US),
    {
      what: 'a check of a token by jose, and of its signature alone, medians',
      figure: `${micros(median(took.jose))}, ${micros(median(took.bare))}`,
      bound: 'reported',
      holds: true,
    },
  ];
}
