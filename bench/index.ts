import 'reflect-metadata';
import { admission } from './admission.ts';
import { backfill } from './backfill.ts';
import { consumption } from './consume.ts';
import { fanOut } from './fan-out.ts';
import { gateway } from './gateway/index.ts';
import { grants } from './grants.ts';
import { homes } from './homes.ts';
import { indistinct } from './indistinct.ts';
import { licenseCost } from './license-cost.ts';
import { licenseFile } from './license-file.ts';
import { licenseLiveness } from './license-liveness.ts';
import { licensePast } from './license-past.ts';
import { moving } from './move.ts';
import { overload } from './overload.ts';
import { portalMix } from './portal-mix.ts';
import { provisioning } from './provisioning.ts';
import { revocation } from './revocation.ts';
import { type Result, withDatabase } from './setup.ts';
import { flood } from './sign-in/flood.ts';
import { signIn } from './sign-in.ts';
import { statements } from './statements.ts';
import { walls } from './walls.ts';

/** What we promise about speed, each with what it measures and its bound. `npm run bench -- statements` runs one. */
const BENCHES: Record<string, () => Promise<Result[]>> = {
  admission,
  backfill,
  consume: consumption,
  'fan-out': fanOut,
  gateway,
  grants,
  homes,
  indistinct,
  'license-cost': licenseCost,
  'license-file': licenseFile,
  'license-liveness': licenseLiveness,
  'license-past': licensePast,
  move: moving,
  overload,
  'portal-mix': portalMix,
  revocation,
  provisioning,
  'sign-in': signIn,
  'sign-in-flood': flood,
  statements,
  walls,
};

const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const names = wanted.length > 0 ? wanted : Object.keys(BENCHES);
let isMissed = false;
await withDatabase(async () => {
  for (const name of names) {
    const bench = BENCHES[name];
    if (!bench) throw new Error(`There is no bench ${name}: ${Object.keys(BENCHES).join(', ')}.`);
    console.log(`\n${name}`);
    for (const { what, figure, bound, holds } of await bench()) {
      isMissed ||= !holds;
      console.log(`  ${holds ? 'holds ' : 'MISSED'}  ${what}: ${figure} (bound ${bound})`);
    }
  }
});
process.exit(isMissed ? 1 : 0);
