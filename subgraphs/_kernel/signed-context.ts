import { createHash, createPublicKey, type KeyObject, randomUUID, sign, verify } from 'node:crypto';
import { type DenialReason, type Entitled, unauthenticated } from '../../schema/errors.ts';
import type { Feature, FeatureAccess } from '../../schema/features.ts';
import { type PermissionSet, packPermissions } from '../../schema/permissions.ts';
import { ed25519FromSeed } from './dev-secrets.ts';

export type CallerKind = 'ANONYMOUS' | 'USER' | 'API_KEY' | 'INSTALLATION' | 'LINK' | 'GATEWAY' | 'SYSTEM';

/** What a subgraph is told of a request, and believes only because the gateway signed it (identity R20). */
export interface Envelope {
  caller: { kind: CallerKind; id: string | null };
  actingFor?: { operator: string; impersonation: string; mode: 'READ' | 'ACT' };
  tenantId: string | null;
  sessionId?: string;
  membershipId?: string;
  /** The one customer a portal caller speaks for. */
  customerId?: string;
  permissions: PermissionSet;
  /** When the caller last gave a strong proof, epoch seconds. */
  strongAt?: number;
  /** What the caller can give a strong proof with: PWD, OTP, KEY. */
  proofs?: readonly string[];
  /** The keyed mark of the mail a person of staff has proved; told to tenancy only. */
  provedMail?: string;
  /** What the caller must do before any other door opens: ENROL_SECOND_FACTOR. */
  mustDo?: readonly string[];
  /** Features the licence opens now, and why the others are shut; one that is missing is shut. */
  features: Partial<Record<Feature, Entitled>>;
  /** What the licence leaves of the core: FULL, or READ from RESTRICTED on. */
  core: FeatureAccess;
  /** Why the licence leaves no more of the core. */
  coreReason?: DenialReason;
  /** While gates only observe: what they let pass of features that are simply not in the plan. */
  observed?: FeatureAccess;
  licenseVersion: number;
  /** How often the tenant has moved: whoever knows an older place of it looks again. */
  placementVersion?: number;
  /** Whether the tenant may only be read: it is closing, or moving to another home. */
  isReadOnly?: boolean;
  /**
   * The tenant is suspended: PARTLY leaves the caller, who may settle its affairs, the doors that say so; SHUT leaves
   * nothing but what is open to anybody.
   */
  suspended?: 'PARTLY' | 'SHUT';
  /** Epoch milliseconds after which nobody waits for the answer. */
  deadline: number;
  /** W3C traceparent. */
  trace?: string;
  requestId: string;
  /** Address of the client, for sign-in limits. */
  address?: string;
  /** The portal the request comes from, one of those we allow; told to identity only. */
  origin?: string;
  /** What program the client says it is, at most 200 characters; told to identity only. */
  agent?: string;
  /** The refresh token of the client's cookie; told to identity only. */
  refreshCookie?: string;
}

/** Longest life of an envelope, seconds. */
const LIFETIME_S = 30;
/** Clocks of two machines may differ by this much, seconds. */
const SKEW_S = 5;

const HEADER = Buffer.from('{"alg":"EdDSA","typ":"isp-envelope+jws"}').toString('base64url');

/** The one spelling of 64 bytes in base64url: Node would read others, too, and the last letter carries two bits. */
const SIGNATURE = /^[A-Za-z0-9_-]{85}[AQgw]$/;

const hashOfBody = (body: string) => createHash('sha256').update(body).digest('base64url');

/** Signs envelopes for subgraphs; only a gateway, and a process that runs jobs for itself, holds one. */
export function createMint(seed: string): (envelope: Envelope, audience: string, body: string) => string {
  const key = ed25519FromSeed(seed);
  return (envelope, audience, body) => {
    const issuedAt = Math.floor(Date.now() / 1000);
    const claims = { ...envelope, aud: audience, bh: hashOfBody(body), iat: issuedAt, exp: issuedAt + LIFETIME_S };
    const text = `${HEADER}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
    return `${text}.${sign(null, Buffer.from(text), key).toString('base64url')}`;
  };
}

export type Verifier = (token: string | undefined, audience: string, body: string) => Envelope;

/**
 * Believes an envelope if one of the keys signed it for this audience and this body within its life. Anything else
 * throws UNAUTHENTICATED without saying why.
 */
export function createVerifier(publicKeys: readonly string[]): Verifier {
  const keys: KeyObject[] = publicKeys.map((x) =>
    createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }),
  );
  return (token, audience, body) => {
    const [header, claims, signature = '', ...rest] = (token ?? '').split('.');
    if (header !== HEADER || !claims || !SIGNATURE.test(signature) || rest.length > 0) throw unauthenticated();
    const signed = Buffer.from(`${header}.${claims}`);
    if (!keys.some((key) => verify(null, signed, key, Buffer.from(signature, 'base64url')))) throw unauthenticated();
    const envelope = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as Envelope & {
      aud: string;
      bh: string;
      iat: number;
      exp: number;
    };
    const now = Date.now() / 1000;
    const isInTime = envelope.iat <= now + SKEW_S && envelope.exp >= now && envelope.exp - envelope.iat <= LIFETIME_S;
    if (envelope.aud !== audience || envelope.bh !== hashOfBody(body) || !isInTime) throw unauthenticated();
    return envelope;
  };
}

const NOBODY = packPermissions([]);

/** How long nobody's request may take, milliseconds. */
const ANONYMOUS_DEADLINE_MS = 30_000;

/** The envelope of nobody: what an unsigned-in caller has, and what a stranger's fields are checked against. */
export function anonymousEnvelope(): Envelope {
  return {
    caller: { kind: 'ANONYMOUS', id: null },
    tenantId: null,
    permissions: NOBODY,
    features: {},
    core: 'FULL',
    licenseVersion: 0,
    deadline: Date.now() + ANONYMOUS_DEADLINE_MS,
    requestId: randomUUID(),
  };
}
