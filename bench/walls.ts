import { option, type Result } from './setup.ts';
import { runWalls } from './walls/run.ts';

/** Enough to notice; what is promised is said of 100,000, which take half an hour: `--operations=100000`. */
const OPERATIONS = 10_000;
/** No operation is begun after this long, milliseconds. */
const FOR_MS = 30 * 60_000;

/**
 * Drawn operations by principals of four tenants over pools of four, with aborts, deadlines, cancelled statements and killed
 * connections: what of another tenant was in any answer, stream or log line. `--seed=…` draws the same operations again.
 */
export async function walls(): Promise<Result[]> {
  const seed = option('seed', Date.now() % 2 ** 31);
  const operations = option('operations', OPERATIONS);
  console.log(`  ${operations} operations with seed ${seed}`);
  const { findings, changesAcross, troubles, watch, askers, outcomes, idsShown, seconds } = await runWalls(seed, {
    operations,
    forMs: FOR_MS,
  });
  for (const [name, { asked, withData }] of askers) console.log(`  ${name}: ${asked} answers, ${withData} with data`);
  const counts = [...outcomes].sort(([, a], [, b]) => b - a);
  console.log(`  ${counts.map(([code, count]) => `${code} × ${count}`).join(', ')}`);
  console.log(
    `  ${watch.answers} answers, ${watch.events} stream events, ${watch.logLines} log lines, ${idsShown} ids with an owner shown; ` +
      `${troubles.cancelled} statements cancelled, ${troubles.killed} connections killed, ${troubles.held} tables held; ${seconds.toFixed(0)} s`,
  );
  for (const { what, where } of findings.slice(0, 20)) console.log(`  FOUND ${what} in ${where}`);
  for (const change of changesAcross.slice(0, 20)) console.log(`  FOUND ${change}`);
  for (const line of watch.errors) console.log(`  UNEXPECTED ${line.slice(0, 1_000)}`);
  const asked = watch.answers + (outcomes.get('LEFT') ?? 0);
  return [
    { what: 'operations', figure: String(asked), bound: String(operations), holds: asked >= operations },
    { what: 'values of another tenant', figure: String(findings.length), bound: '0', holds: findings.length === 0 },
    {
      what: 'changes in a tenant by somebody of another',
      figure: String(changesAcross.length),
      bound: '0',
      holds: changesAcross.length === 0,
    },
    {
      what: `connections that still knew a tenant, of ${troubles.probes + troubles.stuck.length} looked at`,
      figure: String(troubles.stuck.length),
      bound: '0',
      holds: troubles.stuck.length === 0 && troubles.probes > 0,
    },
  ];
}
