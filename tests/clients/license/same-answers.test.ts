import fc from 'fast-check';
import { judgeFile } from '../../../clients/license/src/judge.ts';
import { TrustedKeys } from '../../../clients/license/src/trust.ts';
import { checkIn, limitIn, standingOf } from '../../../clients/license/src/verdict.ts';
import { FEATURE_KEYS, QUOTA_KEYS } from '../../../schema/features.ts';
import { signJws } from '../../../subgraphs/licensing/files/jws.rules.ts';
import { filePayload } from '../../../subgraphs/licensing/files/license-file.rules.ts';
import { instantsOf } from '../../../subgraphs/licensing/terms/course.rules.ts';
import { entitlementsAt, factsAt } from '../../../subgraphs/licensing/terms/entitlement.rules.ts';
import { closedBecause, coreIn, stateAt } from '../../../subgraphs/licensing/terms/license.rules.ts';
import { limitAt } from '../../../subgraphs/licensing/terms/limit.rules.ts';
import { anyFacts, anySchedule, instant } from '../../licensing/facts.ts';
import { KEY, ROOTS, stated, TENANT } from './forge.ts';

const keys = new TrustedKeys(
  ROOTS.map(({ x }) => x),
  false,
);
keys.believe(stated(KEY, ROOTS[0], { iat: Date.UTC(2026, 11, 31) / 1_000 }));

test('For every licence a file answers as the platform does, at each instant before its end, for every feature and limit', () => {
  let compared = 0;
  const trial = fc.record({
    facts: fc.oneof(anyFacts, anySchedule).filter(({ isRevoked }) => !isRevoked), // a revoked licence has no file
    issuedAt: instant,
    late: fc.integer({ min: 0, max: 999 }),
    ttlHours: fc.integer({ min: 1, max: 720 }),
    shares: fc.array(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), { maxLength: 4 }),
  });
  fc.assert(
    fc.property(trial, ({ facts, issuedAt, late, ttlHours, shares }) => {
      fc.pre(issuedAt >= facts.validFrom);
      const now = new Date(issuedAt.getTime() + late);
      const names = { issuer: 'x', tenantId: TENANT, installationId: null, fileId: 'f', epoch: 1, licenseVersion: 1 };
      const payload = filePayload(facts, now, { ...names, ttlHours });
      const ground = { keys, revocations: null, tenantId: TENANT, installationId: null, epoch: 0, now: now.getTime() };
      const { file, reason } = judgeFile(signJws('isp-license+jwt', payload, KEY), ground);
      if (!file) throw new Error(reason);
      const [start, end] = [now.getTime(), payload.exp * 1_000];
      const turns = instantsOf(facts).flatMap((at) => [at.getTime() - 1, at.getTime()]);
      const instants = [start, end - 1, ...shares.map((share) => Math.floor(start + share * (end - start))), ...turns];
      for (const at of instants.filter((ms) => ms >= start && ms < end)) {
        const standing = standingOf({ file, reason: null, told: null, heard: null, now: at });
        const when = new Date(at);
        const held = factsAt(facts, when);
        const state = stateAt(held, when);
        expect([standing.source, standing.state]).toEqual(['FILE', state]);
        expect(checkIn(standing, 'core')).toEqual({ access: coreIn(state), reason: closedBecause(held, when) ?? null });
        for (const { feature, access, reason: why } of entitlementsAt(held, when))
          expect([feature, checkIn(standing, feature)]).toEqual([feature, { access, reason: why }]);
        for (const key of QUOTA_KEYS) {
          const { limit, policy, softMarginPercent, overageCap } = limitAt(held, key, when);
          expect([key, limitIn(standing, key)]).toEqual([key, { limit, policy, softMarginPercent, overageCap }]);
        }
        compared += FEATURE_KEYS.length + QUOTA_KEYS.length;
      }
    }),
    { numRuns: 400 },
  );
  expect(compared).toBeGreaterThan(20_000);
}, 120_000);
