import { GraphQLError } from 'graphql';
import type { GraphRequest } from '../subgraphs/_kernel/subgraph.ts';
import type { Operation } from './execution/operation.ts';
import { checkCost, checkVariables, LIMITS, type Limits } from './limits.ts';
import type { BucketReport, Payer, Rates } from './rates.ts';

type Data = Record<string, unknown>;

/** What clients read in `extensions.cost`: what was asked costs, what one operation may, and the payer's bucket. */
export interface CostReport {
  requested: number;
  max: number;
  bucket?: BucketReport;
}

/** An operation let in with its coerced variables, or the errors for which it was not. */
export type Admitted = { extensions?: { cost: CostReport } } & (
  | { values: Data; errors?: undefined }
  | { errors: readonly GraphQLError[] }
);

export interface Admission {
  readonly limits: Limits;
  /** Throws RATE_LIMITED for who is known to have spent everything, before what it sent is read. */
  refuseIfEmpty(payer: Payer): void;
  /** To be charged when something was refused, so that to go on with it does not pay. */
  chargeRefusal(payer: Payer): void;
  /**
   * Coerces the variables of a prepared operation, prices it with them, and takes its cost, all before it is planned. Planning
   * is charged besides, to whoever is the first to need it.
   */
  admit(operation: Operation, request: GraphRequest & Payer): Promise<Admitted>;
}

/** What an operation costs at least, be it for nothing but a type's name. */
const MIN_COST = 1;
/** To parse, limit and validate a document that was then refused. */
const REFUSAL_COST = 50;
/** To parse, validate and plan what was not held ready: tens of milliseconds. */
const PLANNING_COST = 100;

/** Lets operations in by what they cost. Without rates nothing is counted, and nothing reported. */
export function createAdmission(rates: Rates | undefined, limits: Limits = LIMITS): Admission {
  const chargeRefusal = (payer: Payer) => rates?.charge(payer, REFUSAL_COST);
  return {
    limits,
    refuseIfEmpty: (payer) => rates?.refuseIfEmpty(payer),
    chargeRefusal,
    async admit(operation, request) {
      let report: CostReport | undefined;
      let values: Data;
      try {
        checkVariables(request.variables);
        const coerced = operation.variables(request.variables ?? {});
        if (coerced.errors.length > 0) throw coerced.errors;
        values = coerced.values;
        const cost = Math.min(Number.MAX_SAFE_INTEGER, Math.max(MIN_COST, Math.round(operation.cost(values))));
        report = { requested: cost, max: limits.cost };
        checkCost(cost, limits);
      } catch (error) {
        chargeRefusal(request);
        return refused(error, rates && report);
      }
      if (!rates) return { values };
      try {
        report.bucket = await rates.take(request, report.requested);
      } catch (error) {
        return refused(error, report);
      }
      if (!operation.isPlanned(values)) rates.charge(request, PLANNING_COST);
      return { values, extensions: { cost: report } };
    },
  };
}

function refused(error: unknown, cost: CostReport | undefined): Admitted {
  const errors = [error].flat();
  if (!errors.every((one) => one instanceof GraphQLError)) throw error;
  return { errors, ...(cost ? { extensions: { cost } } : {}) };
}
