import * as React from 'react';
import type { GraphClient } from './graph-client.ts';
import { type Access, type Held, LicenseStore } from './license-store.ts';

interface Portal {
  graph: GraphClient;
  store: LicenseStore;
}

const PortalContext = React.createContext<Portal | null>(null);

/** Holds the licence of whoever `graph` is signed in as, for all below it, and follows it. Another `graph`, another licence. */
export function LicenseProvider({ graph, children }: { graph: GraphClient; children?: React.ReactNode }) {
  const portal = React.useMemo(() => ({ graph, store: new LicenseStore(graph) }), [graph]);
  React.useEffect(() => portal.store.start(), [portal]);
  return <PortalContext.Provider value={portal}>{children}</PortalContext.Provider>;
}

export function usePortal(): Portal {
  const portal = React.useContext(PortalContext);
  if (!portal) throw new Error('This needs a LicenseProvider around it.');
  return portal;
}

/** The licence as it is, rendered again with each change; and how far it opens a feature. */
export function useLicense(): Held & { accessTo(feature: string): Access } {
  const { store } = usePortal();
  const held = React.useSyncExternalStore(store.subscribe, store.getHeld);
  return { ...held, accessTo: (feature) => store.accessTo(feature) };
}

interface FeatureGateProps {
  feature: string;
  /** FULL for what changes something: it is hidden where the feature can be read only. */
  needs?: 'READ' | 'FULL';
  /** What stands there while the feature is shut; nothing, when left out. */
  otherwise?: React.ReactNode;
  children?: React.ReactNode;
}

/**
 * Shows its children while the licence opens a feature, and nothing while the licence is not known. It spares people
 * doors that are shut; the doors are shut by the graph.
 */
export function FeatureGate({ feature, needs = 'READ', otherwise, children }: FeatureGateProps) {
  const { version, accessTo } = useLicense();
  if (version === null) return null;
  const access = accessTo(feature);
  const isOpen = access === 'FULL' || access === needs;
  return <>{isOpen ? children : otherwise}</>;
}
