import * as React from 'react';
import { askGated, type Denial } from './denial.ts';
import type { TypedDocument, Variables } from './graph-client.ts';
import { useLicense, usePortal } from './license-provider.tsx';

interface Gated<T> {
  data?: T;
  denial?: Denial;
  /** A sentence about whatever else went wrong. */
  fault?: string;
}

/** What a query behind a feature answers: asked anew whenever the licence opens or shuts the feature. */
export function useGated<T, V extends Variables>(
  feature: string,
  document: TypedDocument<T, V>,
  variables: V,
): Gated<T> {
  const { graph, store } = usePortal();
  const { version, accessTo } = useLicense();
  const isKnown = version !== null;
  const access = accessTo(feature);
  const asked = JSON.stringify(variables);
  const [answer, setAnswer] = React.useState<Gated<T>>({});
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is asked stands in `asked`; `access` is why it is asked again.
  React.useEffect(() => {
    if (!isKnown) return;
    let isWanted = true;
    const show = (next: Gated<T>) => isWanted && setAnswer(next);
    askGated(graph, document, variables, () => store.getHeld().version ?? 0).then(
      ({ data, errors, denial }) =>
        show(denial ? { denial } : errors ? { fault: errors[0]?.message } : { data: data ?? undefined }),
      () => show({ fault: 'No answer came. Please try again.' }),
    );
    return () => {
      isWanted = false;
    };
  }, [graph, store, document, asked, isKnown, access]);
  return answer;
}
