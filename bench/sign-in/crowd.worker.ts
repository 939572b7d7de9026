import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { Pool } from 'undici';
import { crowdSignIns, type SignIn, strangersSignIn, trySignIn } from './crowd.ts';
import type { Flood, Flooded } from './flood.ts';
import { atRate } from './rate.ts';

const CONNECTIONS = 1_200;

/** Signs in at a rate, on a thread of its own, so that what this costs does not fall on whoever measures the others. */
const { origin, config, crowd, perSecond, seconds } = workerData as Flood;
const members = crowdSignIns(config, crowd);
const told: Flooded = { tookMs: { LET_IN: [], WRONG: [], RATE_LIMITED: [], OVERLOADED: [], OTHER: [] }, others: [] };
const pool = new Pool(origin, { connections: CONNECTIONS });

parentPort?.postMessage('ready');
if (parentPort) await once(parentPort, 'message');
await atRate(perSecond, seconds, async (i) => {
  const isMember = i % 2 === 0;
  const asked = isMember ? (members[i / 2] as SignIn) : strangersSignIn(i);
  const beganAt = performance.now();
  const { outcome, text } = await trySignIn(pool, asked);
  const isRight = outcome !== (isMember ? 'WRONG' : 'LET_IN') && outcome !== 'OTHER';
  if (!isRight) told.others.push(`${asked.email}: ${text.slice(0, 300)}`);
  told.tookMs[isRight ? outcome : 'OTHER'].push(performance.now() - beganAt);
  return true;
});
await pool.close();
parentPort?.postMessage(told);
