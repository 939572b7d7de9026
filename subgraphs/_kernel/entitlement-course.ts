import type { DenialReason, Entitled } from '../../schema/errors.ts';
import type { Feature, FeatureAccess } from '../../schema/features.ts';

/** A step of a licence's course over time, as licensing writes it into `kernel.entitlement`. */
export interface EntitlementStep {
  from: string;
  state: string;
  core: FeatureAccess;
  /** Why the core is not open in full. */
  coreReason?: DenialReason;
  features: Partial<Record<Feature, Entitled>>;
  /** While gates only observe: what they let pass of features that are simply not in the plan. */
  observed?: FeatureAccess;
}

/** The step of a course that holds at an instant; before the first one nothing holds. */
export function stepAt(course: readonly EntitlementStep[], now: Date): EntitlementStep | undefined {
  return course.findLast((step) => new Date(step.from) <= now);
}
