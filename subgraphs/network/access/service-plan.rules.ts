import { Refusal } from '../../../schema/errors.ts';
import type { Technology } from '../../../schema/technology.ts';

export type ServicePlanKind = 'INTERNET' | 'VOICE' | 'TV';
export type PlanState = 'PUBLISHED' | 'RETIRED';

const NEXT: Record<PlanState, readonly PlanState[]> = { PUBLISHED: ['RETIRED'], RETIRED: [] };

/** Moves a plan on, or refuses with INVALID_STATE. */
export function advance(from: PlanState, to: PlanState): PlanState {
  if (!NEXT[from].includes(to))
    throw new Refusal('INVALID_STATE', `A plan that is ${from} cannot become ${to}.`, 'state');
  return to;
}

export interface NewServicePlan {
  code: string;
  kind: ServicePlanKind;
  technology: Technology;
  downKbps: number;
  upKbps: number;
}

/** Refuses with INVALID and the field a malformed code and a rate of nothing. Rates are kbit/s. */
export function checkPlan(given: NewServicePlan): NewServicePlan {
  if (!/^[a-z][a-z0-9_]{0,31}$/.test(given.code))
    throw new Refusal('INVALID', 'A code is 1 to 32 small letters, digits and underscores, such as fibre100.', 'code');
  for (const field of ['downKbps', 'upKbps'] as const)
    if (given[field] < 1) throw new Refusal('INVALID', 'A plan carries at least 1 kbit/s.', field);
  return given;
}
