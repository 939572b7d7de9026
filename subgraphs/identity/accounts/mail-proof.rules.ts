import { createHash, randomBytes } from 'node:crypto';
import { Refusal } from '../../../schema/errors.ts';

export type ProofPurpose = 'ACTIVATE' | 'RESET' | 'VERIFY' | 'CHANGE';

/** How long the link of a mail works, minutes. */
export const LIFE_MINUTES: Record<ProofPurpose, number> = { ACTIVATE: 10_080, RESET: 30, VERIFY: 30, CHANGE: 30 };

const SHAPE = /^isp_mp_[A-Za-z0-9_-]{43}$/;

/** A new link's token: 256 random bits. */
export const drawProofToken = (): string => `isp_mp_${randomBytes(32).toString('base64url')}`;

/** What is kept of a token; undefined for a text that is none. */
export const hashOfProof = (token: string): string | undefined =>
  SHAPE.test(token) ? createHash('sha256').update(token).digest('base64url') : undefined;

/** For a link that is unknown, used, too old or of another purpose. */
export const deadLink = () => new Refusal('INVALID', 'This link no longer works.', 'token');
