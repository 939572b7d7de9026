import * as React from 'react';
import { useLicense } from '../portal/license-provider.tsx';
import { meterOf } from '../portal/license-words.ts';

/** How much of each limit is used, as of the last news; nothing for those who may not read the licence. */
export function Meters() {
  const { license } = useLicense();
  if (!license?.limits) return null;
  return (
    <aside className="meters" aria-label="Limits">
      <h2>Limits</h2>
      {license.limits.map(meterOf).map(({ label, text, share, tone }) => (
        <div key={label} className={tone}>
          <div className="words">
            <span>{label}</span> <span>{text}</span>
          </div>
          {share !== null && <progress aria-label={label} value={share} max={1} />}
        </div>
      ))}
    </aside>
  );
}
