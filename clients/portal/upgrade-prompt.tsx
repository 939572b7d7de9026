import * as React from 'react';
import type { Denial } from './denial.ts';
import { GraphFault } from './graph-client.ts';
import { useLicense, usePortal } from './license-provider.tsx';
import { moneyText } from './license-words.ts';
import { readUpgradeOptions, type UpgradeOption, upgrade } from './upgrade.ts';

interface UpgradePromptProps {
  feature: string;
  /** What the feature is called. */
  name: string;
  /** What the graph said, where it was asked. */
  denial?: Denial;
}

/** Why a feature is shut, what opens it and what that costs, with a button that buys it: for everybody, and at once. */
export function UpgradePrompt({ feature, name, denial }: UpgradePromptProps) {
  const { graph } = usePortal();
  const { license, version } = useLicense();
  const title = React.useId();
  const [options, setOptions] = React.useState<UpgradeOption[] | null>(null);
  const [trouble, setTrouble] = React.useState('');
  // biome-ignore lint/correctness/useExhaustiveDependencies: another version of the licence has other ways out, at other prices.
  React.useEffect(() => {
    setTrouble('');
    readUpgradeOptions(graph, feature).then(setOptions, (error) => setTrouble(sentenceOf(error)));
    return undefined;
  }, [graph, feature, version]);
  const reason = license?.features.find((entry) => entry.feature === feature)?.reason ?? denial?.reason;
  const why = WHY[reason ?? ''];
  return (
    <section className="upgrade-prompt" aria-labelledby={title}>
      <h2 id={title}>
        {name} {why ? 'is closed' : 'is not part of your plan'}
      </h2>
      <p>{why ?? 'Add it, and it opens for everybody in your organisation at once.'}</p>
      {options?.length === 0 && <p>Nothing on sale opens it at the moment. Please talk to us.</p>}
      <ul>
        {options?.map((option) => (
          <Offer key={`${option.plan?.code}/${option.addOn?.code}`} option={option} denialId={denial?.denialId} />
        ))}
      </ul>
      {trouble && <p role="alert">{trouble}</p>}
    </section>
  );
}

/** One way to open the feature. Add-ons are bought where the whole licence is changed and previewed. */
function Offer({ option, denialId }: { option: UpgradeOption; denialId?: string }) {
  const { plan, addOn, netDueToday, monthlyPrice } = option;
  const { graph, store } = usePortal();
  const [key] = React.useState(() => crypto.randomUUID()); // pressed twice, bought once
  const [isBusy, setBusy] = React.useState(false);
  const [trouble, setTrouble] = React.useState('');
  const name = plan?.name ?? addOn?.name;
  const buy = async () => {
    setBusy(true);
    setTrouble('');
    try {
      const outcome = await upgrade(graph, plan?.code ?? '', key, denialId);
      if ('license' in outcome) store.take(outcome.license);
      else setTrouble(outcome.refusal);
    } catch (error) {
      setTrouble(sentenceOf(error));
    }
    setBusy(false);
  };
  return (
    <li className="offer">
      <div>
        <strong>{name}</strong> {plan ? 'plan' : 'add-on'} · {moneyText(monthlyPrice)} a month
        <br />
        <small>{netDueToday ? `${moneyText(netDueToday)} due today, net of tax` : 'once the open bill is paid'}</small>
      </div>
      {plan && netDueToday && (
        <button type="button" disabled={isBusy} onClick={() => void buy()}>
          {isBusy ? 'Upgrading…' : `Upgrade to ${name}`}
        </button>
      )}
      {trouble && <p role="alert">{trouble}</p>}
    </li>
  );
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof GraphFault)) return 'No answer came. Please try again.';
  return error.code === 'FORBIDDEN' ? 'Somebody who manages the licence can change this.' : error.message;
}

/** Why a feature is shut where it is not for want of a plan alone. */
const WHY: Record<string, string> = {
  NO_LICENSE: 'Your organisation has no licence yet.',
  OVERRIDE_OFF: 'It was switched off for your organisation.',
  TRIAL_ENDED: 'The trial has ended. Nothing you entered is lost.',
  GRANT_ENDED: 'The time it was given for is over. Nothing you entered is lost.',
  DOWNGRADED: 'It ended with your last change of plan. Nothing you entered is lost.',
  SUSPENDED: 'The licence is suspended.',
  EXPIRED: 'The licence has expired.',
  REVOKED: 'The licence was revoked.',
};
