/** The steps of a run in their order: what each is worth, and how long it may take, seconds (tenancy R5). */
export const STEPS = {
  reserve: { weight: 5, timeoutS: 5 },
  place: { weight: 5, timeoutS: 5 },
  database: { weight: 15, timeoutS: 120 },
  migrate: { weight: 15, timeoutS: 300 },
  seed: { weight: 10, timeoutS: 30 },
  license: { weight: 10, timeoutS: 120 },
  account: { weight: 5, timeoutS: 120 },
  admin: { weight: 10, timeoutS: 120 },
  deploy: { weight: 10, timeoutS: 600 },
  domain: { weight: 5, timeoutS: 60 },
  verify: { weight: 5, timeoutS: 60 },
  activate: { weight: 5, timeoutS: 5 },
} as const;
export type StepName = keyof typeof STEPS;
export const STEP_NAMES = Object.keys(STEPS) as StepName[];

export type RunState = 'PENDING' | 'RUNNING' | 'WAITING' | 'COMPENSATING' | 'SUCCEEDED' | 'FAILED' | 'STUCK';
export type StepState = 'PENDING' | 'RUNNING' | 'DONE' | 'FAILED' | 'SKIPPED' | 'UNDOING' | 'UNDONE';

export interface Step {
  name: StepName;
  state: StepState;
  /** How often it was tried, or another domain was asked. */
  attempts: number;
  startedAt: string | null;
  endedAt: string | null;
  message: string | null;
  /** It has begun and is not undone: something of it may be there. */
  isLeft: boolean;
  undoAttempts: number;
}

/** Where a run stands. */
export interface Course {
  state: RunState;
  steps: readonly Step[];
  /** Why it is undone or stuck. */
  error: string | null;
  /** It rests until then. */
  dueAt: Date | null;
}

/** After a failed try it is tried again this much later, seconds; then the run is undone. */
const RETRY_S = [1, 5, 25];
/** Undone once more after a failed undoing, seconds; the fifth failure makes the run stuck. */
const UNDO_RETRY_S = [1, 5, 25, 25];
/** How long another domain is given to answer before it is asked again, seconds. */
export const ASK_AGAIN_S = 30;
/** How often another domain is asked again. */
const ASKED_AGAIN = 3;

const seconds = (from: Date, s: number) => new Date(from.getTime() + s * 1_000);

/** A run that has not begun, some of whose steps are not for this tenant. */
export function newCourse(skipped: readonly StepName[]): Course {
  const steps = STEP_NAMES.map((name): Step => {
    const state = skipped.includes(name) ? 'SKIPPED' : 'PENDING';
    return {
      ...{ name, state, attempts: 0, startedAt: null, endedAt: null, message: null, isLeft: false, undoAttempts: 0 },
    };
  });
  return { state: 'PENDING', steps, error: null, dueAt: null };
}

/** floor(100 × what is done / all that is not skipped), by weight (tenancy R6). */
export function percentOf(steps: readonly Pick<Step, 'name' | 'state'>[]): number {
  const weigh = (counted: typeof steps) => counted.reduce((sum, { name }) => sum + STEPS[name].weight, 0);
  const all = weigh(steps.filter(({ state }) => state !== 'SKIPPED'));
  return Math.floor((100 * weigh(steps.filter(({ state }) => state === 'DONE'))) / all);
}

export const isOver = ({ state }: Pick<Course, 'state'>): boolean => state === 'SUCCEEDED' || state === 'FAILED';

/** The step a run is at: the first that is not done, or while it is undone the last of which something may be left. */
export function currentStep({ state, steps }: Pick<Course, 'state' | 'steps'>): Step | undefined {
  if (isOver({ state })) return undefined;
  const isUndone = state === 'COMPENSATING' || state === 'STUCK';
  return isUndone
    ? steps.findLast(({ isLeft }) => isLeft)
    : steps.find((step) => step.state !== 'DONE' && step.state !== 'SKIPPED');
}

export type Move =
  | { kind: 'REST'; until: Date | null }
  | { kind: 'DO' | 'UNDO' | 'GIVE_UP'; step: Step }
  | { kind: 'END' };

/** What is to be done with a run now. */
export function nextMove(course: Course, now: Date): Move {
  if (isOver(course) || course.state === 'STUCK') return { kind: 'REST', until: null };
  if (course.dueAt && course.dueAt > now) return { kind: 'REST', until: course.dueAt };
  const step = currentStep(course);
  if (!step) return { kind: 'END' };
  if (course.state === 'COMPENSATING') return { kind: 'UNDO', step };
  return { kind: course.state === 'WAITING' && step.attempts > ASKED_AGAIN ? 'GIVE_UP' : 'DO', step };
}

const withStep = (course: Course, name: StepName, change: Partial<Step>): Course => ({
  ...course,
  steps: course.steps.map((step) => (step.name === name ? { ...step, ...change } : step)),
});

const stepOf = ({ steps }: Course, name: StepName) => steps.find((step) => step.name === name) as Step;

/** A step is tried. */
export function begin(course: Course, name: StepName, now: Date): Course {
  const { attempts, startedAt } = stepOf(course, name);
  const change = { attempts: attempts + 1, startedAt: startedAt ?? now.toISOString(), isLeft: true };
  return { ...withStep(course, name, { ...change, state: 'RUNNING' }), state: 'RUNNING', dueAt: null };
}

/** Another domain was asked for a step, and the run waits for its answer. */
export const ask = (course: Course, name: StepName, now: Date): Course => ({
  ...begin(course, name, now),
  state: 'WAITING',
  dueAt: seconds(now, ASK_AGAIN_S),
});

/** A step is done; the last one ends the run. */
export function complete(course: Course, name: StepName, now: Date): Course {
  const done = withStep(course, name, { state: 'DONE', endedAt: now.toISOString(), message: null });
  return { ...done, state: currentStep({ ...done, state: 'RUNNING' }) ? 'RUNNING' : 'SUCCEEDED', dueAt: null };
}

/** A try of a step failed: it is tried again after 1, 5, 25 s, and then the run is undone. */
export function fail(course: Course, name: StepName, message: string, now: Date): Course {
  const wait = RETRY_S[stepOf(course, name).attempts - 1];
  if (wait === undefined) return giveUp(course, message, now);
  return { ...withStep(course, name, { message }), dueAt: seconds(now, wait) };
}

/** The run is undone from its last step to its first. */
export function giveUp(course: Course, error: string, now: Date): Course {
  const steps = course.steps.map((step): Step => {
    return step.state === 'RUNNING' ? { ...step, state: 'FAILED', endedAt: now.toISOString(), message: error } : step;
  });
  return { state: 'COMPENSATING', steps, error, dueAt: null };
}

/** A step is being undone; what failed stays shown as failed. */
export function beginUndo(course: Course, name: StepName): Course {
  const { state, undoAttempts } = stepOf(course, name);
  return {
    ...withStep(course, name, { state: state === 'FAILED' ? state : 'UNDOING', undoAttempts: undoAttempts + 1 }),
    dueAt: null,
  };
}

/** Another domain was asked to undo its step; each time it does not answer counts as a failure. */
export const askUndo = (course: Course, name: StepName, now: Date): Course => ({
  ...beginUndo(course, name),
  dueAt: seconds(now, ASK_AGAIN_S),
});

export function completeUndo(course: Course, name: StepName, now: Date): Course {
  const { state, endedAt } = stepOf(course, name);
  const ended = state === 'FAILED' ? { endedAt } : { state: 'UNDONE' as const, endedAt: now.toISOString() };
  return { ...withStep(course, name, { ...ended, isLeft: false }), dueAt: null };
}

/** Whether an undoing has failed so often that somebody must look. */
export const isUndoHopeless = ({ undoAttempts }: Step): boolean => undoAttempts > UNDO_RETRY_S.length;

/** Undoing a step failed: it is tried again, the fifth failure makes the run stuck. */
export function failUndo(course: Course, name: StepName, message: string, now: Date): Course {
  const step = stepOf(course, name);
  const told = withStep(course, name, { message });
  if (isUndoHopeless(step)) return { ...told, state: 'STUCK', dueAt: null };
  return { ...told, dueAt: seconds(now, UNDO_RETRY_S[step.undoAttempts - 1] as number) };
}

/** A stuck run goes on undoing. */
export const unstick = (course: Course): Course => ({
  ...course,
  state: 'COMPENSATING',
  steps: course.steps.map((step) => ({ ...step, undoAttempts: 0 })),
  dueAt: null,
});
