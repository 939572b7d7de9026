import * as React from 'react';
import { FeatureGate, useLicense } from '../portal/license-provider.tsx';
import { bannerOf } from '../portal/license-words.ts';
import { Meters } from './meters.tsx';
import { MODULES, type Module } from './modules.tsx';

interface WorkplaceProps {
  person: string;
  tenant: string;
  onLeave: () => void;
}

/** The portal itself: a menu of what the licence opens, and the module that is open. */
export function Workplace({ person, tenant, onLeave }: WorkplaceProps) {
  const [open, setOpen] = React.useState<Module>(MODULES[0]);
  const { license, touch } = useLicense();
  return (
    <>
      <header>
        <strong>{tenant}</strong>
        <span>
          {license?.planVersion?.plan.name} · version {license?.version ?? '…'}
        </span>
        <span className="who">{person}</span>
        <button type="button" onClick={onLeave}>
          Sign out
        </button>
      </header>
      <Notices />
      <div className="columns" data-touch={touch}>
        <aside>
          <nav aria-label="Menu">
            <ul>
              {MODULES.map((module) => (
                <Gate key={module.name} module={module}>
                  <li>
                    <Item module={module} open={open} onOpen={setOpen} />
                  </li>
                </Gate>
              ))}
            </ul>
          </nav>
          <More open={open} onOpen={setOpen} />
        </aside>
        <main aria-label={open.name}>
          <open.Panel key={open.name} />
        </main>
        <Meters />
      </div>
    </>
  );
}

interface Choice {
  open: Module;
  onOpen: (module: Module) => void;
}

const Gate = ({ module, children }: { module: Module; children?: React.ReactNode }) =>
  module.feature ? <FeatureGate feature={module.feature}>{children}</FeatureGate> : children;

const Item = ({ module, open, onOpen }: Choice & { module: Module }) => (
  <button type="button" aria-current={module === open ? 'page' : undefined} onClick={() => onOpen(module)}>
    {module.name}
  </button>
);

/** What the licence does not open can be looked at, and bought. */
function More(choice: Choice) {
  const { license, accessTo } = useLicense();
  const shut = MODULES.filter(({ feature }) => feature && accessTo(feature) === 'NONE');
  if (!license || shut.length === 0) return null;
  return (
    <section aria-label="Not in your plan">
      <h2>Not in your plan</h2>
      <ul>
        {shut.map((module) => (
          <li key={module.name}>
            <Item module={module} {...choice} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What everybody should know: how the licence stands, and whether what is shown may be old. */
function Notices() {
  const { license, version, touch } = useLicense();
  const banner = version === null ? null : bannerOf(license, new Date());
  return (
    <div className="notices" aria-live="polite">
      {banner && <p className={`notice ${banner.tone}`}>{banner.text}</p>}
      {license?.enforcement === 'OBSERVE' && <p className="notice CALM">Nothing is refused yet: this is a test run.</p>}
      {touch === 'OUT_OF_TOUCH' && (
        <p className="notice WARNING">Out of touch: what you see may be old. Trying again…</p>
      )}
      {touch === 'ENDED' && <p className="notice ALARM">Your session has ended. Please sign in again.</p>}
    </div>
  );
}
