import fc from 'fast-check';
import type { Course, StepName } from '../../../subgraphs/tenancy/provisioning/course.rules.ts';
import * as course from '../../../subgraphs/tenancy/provisioning/course.rules.ts';
import { skippedSteps } from '../../../subgraphs/tenancy/provisioning/request.rules.ts';

const NOW = new Date('2027-05-01T12:00:00Z');
const later = (seconds: number) => new Date(NOW.getTime() + seconds * 1_000);
const SHARED = skippedSteps('SHARED');
const fresh = (skipped: readonly StepName[] = SHARED) => course.newCourse(skipped);
const doneUpTo = (last: StepName, skipped: readonly StepName[]) => {
  let held = fresh(skipped);
  for (const { name } of held.steps) {
    if (!skipped.includes(name)) held = course.complete(course.begin(held, name, NOW), name, NOW);
    if (name === last) break;
  }
  return held;
};
const stateOf = (held: Course, name: StepName) => held.steps.find((step) => step.name === name)?.state;

describe('how far a run has come', () => {
  test.each([
    ['nothing', undefined, SHARED, 0],
    ['a shared tenant after seed: 20 of 60', 'seed', SHARED, 33],
    ['a dedicated tenant after migrate: 40 of 100', 'migrate', [], 40],
    ['all but the last step of a shared one: 55 of 60', 'verify', SHARED, 91],
    ['all', 'activate', SHARED, 100],
  ] as const)('%s', (_, last, skipped, percent) => {
    const held = last ? doneUpTo(last, skipped) : fresh(skipped);
    expect(course.percentOf(held.steps)).toBe(percent);
  });

  test('the weights of all steps are 100', () => {
    expect(Object.values(course.STEPS).reduce((sum, { weight }) => sum + weight, 0)).toBe(100);
  });
});

describe('what is done next', () => {
  test('the steps in their order, without those that are not for the tenant', () => {
    let held = fresh();
    const seen: string[] = [];
    while (!course.isOver(held)) {
      const move = course.nextMove(held, NOW);
      if (move.kind !== 'DO') throw new Error(move.kind);
      seen.push(move.step.name);
      held = course.complete(course.begin(held, move.step.name, NOW), move.step.name, NOW);
    }
    expect(seen).toEqual(['reserve', 'place', 'seed', 'license', 'account', 'admin', 'domain', 'verify', 'activate']);
    expect(held.state).toBe('SUCCEEDED');
    expect(course.nextMove(held, NOW)).toEqual({ kind: 'REST', until: null });
  });

  test('a failed step is tried again after 1, 5 and 25 seconds, and then all is undone', () => {
    let held = doneUpTo('admin', SHARED);
    let now = NOW;
    for (const wait of [1, 5, 25]) {
      held = course.fail(course.begin(held, 'domain', now), 'domain', 'Refused.', now);
      const due = new Date(now.getTime() + wait * 1_000);
      expect(course.nextMove(held, now)).toEqual({ kind: 'REST', until: due });
      expect(course.nextMove(held, due)).toMatchObject({ kind: 'DO', step: { name: 'domain' } });
      now = due;
    }
    held = course.fail(course.begin(held, 'domain', now), 'domain', 'Refused.', now);
    expect(held).toMatchObject({ state: 'COMPENSATING', error: 'Refused.' });
    expect(stateOf(held, 'domain')).toBe('FAILED');
  });

  test('another domain is asked every 30 seconds, four times in all, and after two minutes the run is undone', () => {
    let held = doneUpTo('seed', SHARED);
    for (const s of [0, 30, 60, 90]) {
      expect(course.nextMove(held, later(s))).toMatchObject({ kind: 'DO', step: { name: 'license' } });
      held = course.ask(held, 'license', later(s));
      expect(course.nextMove(held, later(s + 29))).toEqual({ kind: 'REST', until: later(s + 30) });
    }
    expect(held.state).toBe('WAITING');
    expect(course.nextMove(held, later(120))).toMatchObject({ kind: 'GIVE_UP', step: { name: 'license' } });
    expect(stateOf(course.giveUp(held, 'Nobody answered.', later(120)), 'license')).toBe('FAILED');
  });

  test('what has begun is undone from last to first, that which failed too, which stays shown as failed', () => {
    let held = course.giveUp(course.begin(doneUpTo('admin', SHARED), 'domain', NOW), 'Refused.', NOW);
    const seen: string[] = [];
    for (;;) {
      const move = course.nextMove(held, NOW);
      if (move.kind === 'END') break;
      if (move.kind !== 'UNDO') throw new Error(move.kind);
      seen.push(move.step.name);
      held = course.beginUndo(held, move.step.name);
      expect(stateOf(held, move.step.name)).toBe(move.step.name === 'domain' ? 'FAILED' : 'UNDOING');
      held = course.completeUndo(held, move.step.name, NOW);
    }
    expect(seen).toEqual(['domain', 'admin', 'account', 'license', 'seed', 'place', 'reserve']);
    expect(held.steps.filter(({ state }) => state === 'UNDONE')).toHaveLength(6);
    expect(course.percentOf(held.steps)).toBe(0);
  });

  test('the fifth failure of an undoing makes a run stuck until somebody lets it go on', () => {
    let held = course.giveUp(doneUpTo('seed', SHARED), 'Cancelled.', NOW);
    for (let i = 0; i < 5; i++) {
      expect(held.state).toBe('COMPENSATING');
      held = course.failUndo(course.beginUndo(held, 'seed'), 'seed', 'Cannot.', NOW);
    }
    expect(held.state).toBe('STUCK');
    expect(course.nextMove(held, later(1_000_000))).toEqual({ kind: 'REST', until: null });
    expect(course.nextMove(course.unstick(held), NOW)).toMatchObject({ kind: 'UNDO', step: { name: 'seed' } });
  });
});

test('whatever happens on the way, a run ends whole or with nothing left, and never does a step twice or out of order', () => {
  const luck = fc.array(fc.constantFrom('done', 'fail', 'silent', 'cancel'), { minLength: 5, maxLength: 120 });
  fc.assert(
    fc.property(luck, fc.constantFrom<readonly StepName[]>(SHARED, ['deploy']), (lucks, skipped) => {
      let held = fresh(skipped);
      let now = NOW;
      const effects: StepName[] = [];
      for (let i = 0; i < 2_000; i++) {
        const move = course.nextMove(held, now);
        const chance = lucks[i] ?? 'done';
        if (move.kind === 'REST') {
          if (move.until === null) break;
          now = move.until;
        } else if (move.kind === 'END') held = { ...held, state: 'FAILED' };
        else if (move.kind === 'GIVE_UP' || (chance === 'cancel' && held.state !== 'COMPENSATING'))
          held = course.giveUp(held, 'No.', now);
        else if (move.kind === 'DO') {
          const { name } = move.step;
          if (chance === 'silent') held = course.ask(held, name, now);
          else if (chance === 'fail') held = course.fail(course.begin(held, name, now), name, 'No.', now);
          else {
            held = course.complete(course.begin(held, name, now), name, now);
            effects.push(name);
          }
        } else {
          const { name } = move.step;
          if (course.isUndoHopeless(move.step) || chance === 'fail')
            held = course.failUndo(course.beginUndo(held, name), name, 'No.', now);
          else if (chance === 'silent') held = course.askUndo(held, name, now);
          else held = course.completeUndo(course.beginUndo(held, name), name, now);
        }
      }
      expect(['SUCCEEDED', 'FAILED', 'STUCK']).toContain(held.state);
      expect(new Set(effects).size).toBe(effects.length);
      expect(effects).toEqual(course.STEP_NAMES.filter((name) => effects.includes(name)));
      const left = held.steps.filter(({ isLeft }) => isLeft);
      if (held.state === 'FAILED') expect(left).toEqual([]);
      if (held.state === 'SUCCEEDED') expect(course.percentOf(held.steps)).toBe(100);
    }),
  );
});
