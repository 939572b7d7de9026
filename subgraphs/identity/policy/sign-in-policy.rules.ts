import { BlockList, isIP } from 'node:net';
import { Refusal } from '../../../schema/errors.ts';
import { answersOf, type HeldFactors, hasSecondFactor } from '../factors/challenge.rules.ts';
import type { MembershipKind } from '../membership.rules.ts';
import { DEFAULT_LIFETIMES, type Lifetimes, type MustDo, type ProofMethod } from '../session.rules.ts';

export type SupportAccess = 'ASK' | 'ALWAYS' | 'NEVER';

export interface Policy extends Lifetimes {
  /** Keys of roles. */
  needsSecondFactor: string[];
  /** What staff may prove themselves with. */
  methods: ProofMethod[];
  /** CIDR networks staff may come from; empty means any. */
  addresses: string[];
  supportAccess: SupportAccess;
  version: number;
}

/** What holds where a tenant has said nothing. */
export const DEFAULT_POLICY: Policy = {
  needsSecondFactor: [],
  methods: ['PWD', 'OTP', 'KEY', 'REC', 'OAUTH', 'SSO'],
  ...DEFAULT_LIFETIMES,
  addresses: [],
  supportAccess: 'ASK',
  version: 0,
};

/** Proofs a sign-in can begin with, and those that come second. A passkey is both. */
const FIRST: readonly ProofMethod[] = ['PWD', 'KEY', 'OAUTH', 'SSO'];
const SECOND: readonly ProofMethod[] = ['OTP', 'KEY', 'REC'];

export interface PolicyFacts {
  kind: MembershipKind;
  roles: readonly string[];
  /** Proved in this session. */
  methods: readonly ProofMethod[];
  held: HeldFactors;
  /** Where the request comes from; undefined where the gateway could not tell. */
  address: string | undefined;
}

export type PolicyVerdict =
  | { kind: 'MET'; mustDo: MustDo[] }
  /** One of these has to be proved first. */
  | { kind: 'PROVE'; answers: ProofMethod[] }
  | { kind: 'REFUSED'; why: 'ADDRESS' | 'METHOD' };

/**
 * Whether somebody may be in a tenant, by how they proved who they are (identity R4, R11). Methods and addresses are said
 * of staff; who needs a second factor is said of roles, and platform_admin always does.
 */
export function policyVerdict(policy: Policy, facts: PolicyFacts): PolicyVerdict {
  const { kind, roles, methods, held, address } = facts;
  const isStaff = kind === 'STAFF';
  const isAllowed = (method: ProofMethod) => !isStaff || policy.methods.includes(method);
  if (isStaff && !isFrom(policy.addresses, address)) return { kind: 'REFUSED', why: 'ADDRESS' };
  if (!methods.some((method) => FIRST.includes(method) && isAllowed(method)))
    return held.passkeys > 0 && isAllowed('KEY')
      ? { kind: 'PROVE', answers: ['KEY'] }
      : { kind: 'REFUSED', why: 'METHOD' };
  const isAsked = roles.some((role) => role === 'platform_admin' || policy.needsSecondFactor.includes(role));
  const isVouched = hasSecondFactor(held) || methods.includes('SSO'); // what was removed since is proved no more
  if (!isAsked || (isVouched && methods.some((method) => SECOND.includes(method) && isAllowed(method))))
    return { kind: 'MET', mustDo: [] };
  const answers = answersOf(held).filter(isAllowed);
  return answers.length > 0 ? { kind: 'PROVE', answers } : { kind: 'MET', mustDo: ['ENROL_SECOND_FACTOR'] };
}

/** Whether an address lies in one of the networks; any does where none is named. */
export function isFrom(networks: readonly string[], address: string | undefined): boolean {
  if (networks.length === 0) return true;
  const plain = address?.replace(/^::ffff:(?=\d+\.)/i, '') ?? '';
  const family = familyOf(plain);
  return family !== undefined && listOf(networks).check(plain, family);
}

const familyOf = (address: string) => ({ 4: 'ipv4', 6: 'ipv6' })[isIP(address)] as 'ipv4' | 'ipv6' | undefined;

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = familyOf(address);
    if (family) list.addSubnet(address, Number(bits), family);
  }
  return list;
}

const MAX_ADDRESSES = 20;
const RANGES = {
  idleMinutes: [15, 1_440],
  maxHours: [1, 168],
  portalIdleDays: [1, 365],
  portalMaxDays: [1, 365],
} as const;

/** A policy that can hold, its lists without repetition. Refuses INVALID with the field. */
export function checkPolicy(asked: Policy, knownRoles: readonly string[]): Policy {
  const policy = {
    ...asked,
    needsSecondFactor: [...new Set(asked.needsSecondFactor)],
    methods: [...new Set(asked.methods)],
    addresses: [...new Set(asked.addresses.map((network) => network.trim()))],
  };
  for (const [field, [least, most]] of Object.entries(RANGES)) {
    const value = policy[field as keyof typeof RANGES];
    if (value < least || value > most) throw new Refusal('INVALID', `It is ${least} to ${most}.`, field);
  }
  const unknown = policy.needsSecondFactor.find((role) => !knownRoles.includes(role));
  if (unknown !== undefined)
    throw new Refusal('INVALID', `There is no role ${unknown.slice(0, 40)} here.`, 'needsSecondFactor');
  if (!policy.methods.some((method) => FIRST.includes(method)))
    throw new Refusal('INVALID', 'A sign-in begins with a password, a passkey or another provider.', 'methods');
  if (policy.needsSecondFactor.length > 0 && !policy.methods.some((method) => method === 'OTP' || method === 'KEY'))
    throw new Refusal('INVALID', 'Whoever needs a second factor must be allowed one.', 'methods');
  if (policy.addresses.length > MAX_ADDRESSES)
    throw new Refusal('LIMIT_REACHED', `A policy names at most ${MAX_ADDRESSES} networks.`, 'addresses');
  const odd = policy.addresses.find((network) => !isNetwork(network));
  if (odd !== undefined) throw new Refusal('INVALID', 'A network looks like 192.0.2.0/24.', 'addresses');
  return policy;
}

function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const most = { 4: 32, 6: 128 }[isIP(address)];
  return most !== undefined && rest.length === 0 && /^\d{1,3}$/.test(bits ?? '') && Number(bits) <= most;
}

/** Refuses INVALID a policy that would shut out who makes it. */
export function keepMaker(policy: Policy, facts: PolicyFacts): void {
  const verdict = policyVerdict(policy, facts);
  if (verdict.kind !== 'REFUSED') return;
  const [field, what] = verdict.why === 'ADDRESS' ? ['addresses', 'network'] : ['methods', 'way of signing in'];
  throw new Refusal('INVALID', `This would shut you out: it does not hold your own ${what}.`, field);
}
