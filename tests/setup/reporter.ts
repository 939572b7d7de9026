import { writeSync } from 'node:fs';
import type { AggregatedResult, Reporter } from '@jest/reporters';

/** Ends the whole run with one line, `N passed, N failed`. */
export default class ClosingLine implements Pick<Reporter, 'onRunComplete'> {
  onRunComplete(_contexts: unknown, results: AggregatedResult): void {
    printLast(closingLine(results));
  }
}

/** A suite that could not run hides its tests, so it counts as one that failed. */
function closingLine(results: AggregatedResult): string {
  const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
  const skipped = results.numPendingTests + results.numTodoTests;
  return `${results.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** Jest has more to say after its reporters, and silences `process.stdout` before it exits: hence so late and so low. */
export function printLast(line: string): void {
  process.once('exit', () => writeSync(1, `${line}\n`));
}
