import { createHmac } from 'node:crypto';
import { judgeFile } from '../clients/license/src/judge.ts';
import { TrustedKeys } from '../clients/license/src/trust.ts';
import { file, ISSUED, KEY, ROOTS, stated, TENANT } from '../tests/clients/license/forge.ts';
import { median, percentile, type Result } from './setup.ts';

const VERIFICATIONS = 20_000;
const CHANGES = 100_000;
/** A file is a few kilobytes; this hash over it is the least anything that looks at every byte could cost. */
const leastWork = (text: string) => createHmac('sha256', 'least').update(text).digest();

/** What it costs an installation to verify a licence file, signature and all, and whether a changed one ever passes. */
export async function licenseFile(): Promise<Result[]> {
  const keys = new TrustedKeys(
    ROOTS.map(({ x }) => x),
    false,
  );
  keys.believe(stated(KEY));
  const ground = { keys, revocations: null, tenantId: TENANT, installationId: null, epoch: 0, now: ISSUED };
  const text = file();
  const time = (work: () => void) => {
    const began = performance.now();
    work();
    return performance.now() - began;
  };
  const verify = () => {
    if (!judgeFile(text, ground).file) throw new Error('The file is not accepted.');
  };
  for (let i = 0; i < 1_000; i++) verify();
  const verified = Array.from({ length: VERIFICATIONS }, () => time(verify));
  const least = Array.from({ length: VERIFICATIONS }, () => time(() => leastWork(text)));
  const [late, ratio] = [percentile(verified, 0.99), median(verified) / median(least)];
  let accepted = 0;
  const good = Buffer.from(text);
  for (let change = 0; change < CHANGES; change++) {
    const bit = Math.floor((change * good.length * 8) / CHANGES);
    const edited = Buffer.from(good);
    edited[bit >> 3] = (edited[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    if (judgeFile(edited.toString('latin1'), ground).file) accepted += 1;
  }
  return [
    {
      what: `verify a file of ${good.length.toLocaleString('en')} bytes, p99 (${ratio.toFixed(1)} × an HMAC over it at the median)`,
      figure: `${late.toFixed(3)} ms, median ${median(verified).toFixed(3)} ms`,
      bound: '≤ 1 ms',
      holds: late <= 1,
    },
    {
      what: `single-bit changes accepted, of ${CHANGES.toLocaleString('en')}`,
      figure: String(accepted),
      bound: '0',
      holds: accepted === 0,
    },
  ];
}
