import { randomBytes, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { permissionsOf, ROLES } from '../../../schema/permissions.ts';
import {
  advance,
  checkInvitation,
  type InvitationState,
  readToken,
  stateAt,
  tokenOf,
} from '../../../subgraphs/tenancy/invitations/invitation.rules.ts';

const STATES: InvitationState[] = ['PENDING', 'ACCEPTED', 'EXPIRED', 'REVOKED'];
const inviter = (role: string, isPlatform = false) => ({
  holds: (permission: string) => (permissionsOf([role]) as string[]).includes(permission),
  isPlatform,
});

describe('An invitation', () => {
  test('waits until it is accepted, has expired or was taken back, and then for good', () => {
    for (const from of STATES)
      for (const to of STATES) {
        if (from === 'PENDING' && to !== 'PENDING') expect(advance(from, to)).toBe(to);
        else expect(() => advance(from, to)).toThrow(expect.objectContaining({ code: 'INVALID_STATE' }));
      }
  });

  test('is over at its instant, whether anybody has noted it or not', () => {
    const expiresAt = new Date('2027-03-17T12:00:00Z');
    expect(stateAt({ state: 'PENDING', expiresAt }, new Date(expiresAt.getTime() - 1))).toBe('PENDING');
    expect(stateAt({ state: 'PENDING', expiresAt }, expiresAt)).toBe('EXPIRED');
    expect(stateAt({ state: 'ACCEPTED', expiresAt }, expiresAt)).toBe('ACCEPTED');
  });

  test('gives nobody more than the inviter has: an administrator is made by who holds all of it', () => {
    const ask = (role: string, by: string, isPlatform = false) =>
      checkInvitation({ email: 'Otis@Kestrel.Example', role }, inviter(by, isPlatform));
    expect(ask('technician', 'tenant_admin')).toEqual({ email: 'otis@kestrel.example', role: 'technician' });
    expect(() => ask('tenant_admin', 'tenant_admin')).not.toThrow();
    expect(() => ask('tenant_admin', 'support_agent')).toThrow('Nobody gives a right they do not hold.');
    expect(() => ask('network_engineer', 'auditor')).toThrow('Nobody gives a right they do not hold.');
    expect(() => ask('platform_admin', 'platform_admin', true)).not.toThrow();
    for (const role of Object.keys(ROLES).filter((key) => !['customer', 'platform_admin'].includes(key)))
      expect(() => ask(role, 'tenant_admin')).not.toThrow();
  });

  test.each([
    ['otis', 'technician', 'email'],
    ['otis@kestrel', 'technician', 'email'],
    ['otis@kestrel.example\r\nBcc: x@y.example', 'technician', 'email'],
    ['otis@kestrel.example', 'customer', 'role'],
    ['otis@kestrel.example', 'platform_admin', 'role'],
    ['otis@kestrel.example', 'billing_junior', 'role'],
    ['otis@kestrel.example', '__proto__', 'role'],
  ])('to %j as %s is refused', (email, role, field) => {
    expect(() => checkInvitation({ email, role }, inviter('tenant_admin'))).toThrow(
      expect.objectContaining({ code: 'INVALID', field }),
    );
  });

  test('has a token that says where it is; nothing else is one', () => {
    const [tenantId, id, secret] = [randomUUID(), randomUUID(), randomBytes(32)];
    expect(readToken(tokenOf(tenantId, id, secret))).toEqual({ tenantId, id, secret });
    fc.assert(fc.property(fc.string(), (text) => readToken(text) === undefined));
  });
});
