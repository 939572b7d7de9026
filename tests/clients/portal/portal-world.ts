import type { GraphClient } from '../../../clients/portal/graph-client.ts';
import { ReadLicenseDocument } from '../../../clients/portal/graphql/graphql.ts';
import { type HttpGraphOptions, httpGraph } from '../../../clients/portal/http-graph.ts';
import { type Held, LicenseStore, type PortalLicense, type Touch } from '../../../clients/portal/license-store.ts';
import { until } from '../../kernel/by-hand.ts';
import { openGatewayWorld, type Person } from '../../setup/gateway.ts';

export const KESTREL = '01990000-0000-7000-8000-000000000a01';

/** A portal's store, all it has held, and how often it asked its query. */
export interface Portal {
  store: LicenseStore;
  held: Held[];
  asked: number;
  touches(touch: Touch, timeoutMs?: number): Promise<void>;
  hears(version: number): Promise<void>;
  /** The versions it has held, in order. */
  versions(): (number | null)[];
}

export interface PortalWorld {
  running: Awaited<ReturnType<typeof openGatewayWorld>>;
  ngozi: Person;
  wren: Person;
  signIn(email: string): Promise<Person>;
  graphOf(who: Person, options?: Partial<HttpGraphOptions>): GraphClient;
  /** A store that follows the licence over a graph, until `closePortals`. */
  open(graph: GraphClient): Portal;
  closePortals(): void;
  /** What the graph says of Kestrel's licence now. */
  presentLicense(): Promise<PortalLicense>;
  setCrm(isEnabled: boolean): Promise<void>;
  /** Changes Kestrel's licence so many times, a version each. */
  changeTimes(times: number): Promise<void>;
  close(): Promise<void>;
}

export async function openPortalWorld(): Promise<PortalWorld> {
  const running = await openGatewayWorld();
  const signIn = (email: string) => running.client.signIn(email, running.password);
  const [ngozi, wren] = [await signIn('ngozi@platform.example'), await signIn('wren@kestrel.example')];
  const stops: (() => void)[] = [];
  const graphOf: PortalWorld['graphOf'] = (who, options) =>
    httpGraph({ url: running.client.url, token: async () => who.token, ...options });
  const world: PortalWorld = {
    running,
    ngozi,
    wren,
    signIn,
    graphOf,
    open(graph) {
      const counting: GraphClient = {
        ask: (document, variables, signal) => {
          portal.asked += 1;
          return graph.ask(document, variables, signal);
        },
        follow: (document, variables, signal) => graph.follow(document, variables, signal),
      };
      const store = new LicenseStore(counting);
      const portal: Portal = {
        store,
        held: [],
        asked: 0,
        touches: (touch, timeoutMs) => until(`it is ${touch}`, () => store.getHeld().touch === touch, timeoutMs),
        hears: (version) => until(`it hears of version ${version}`, () => store.getHeld().version === version),
        versions: () => [...new Set(portal.held.map(({ version }) => version))],
      };
      store.subscribe(() => portal.held.push(store.getHeld()));
      stops.push(store.start());
      return portal;
    },
    closePortals() {
      for (const stop of stops.splice(0)) stop();
    },
    async presentLicense() {
      const { data } = await graphOf(wren).ask(ReadLicenseDocument, {});
      if (!data?.license) throw new Error('Kestrel has a licence.');
      return data.license;
    },
    async setCrm(isEnabled) {
      const { errors } = await ngozi.ask(
        'mutation($input: SetOverrideInput!) { setOverride(input: $input) { userErrors { message } } }',
        { input: { tenantId: KESTREL, key: 'crm', isEnabled, reason: 'For a while.' } },
      );
      expect(errors).toBeUndefined();
    },
    async changeTimes(times) {
      const { features } = await world.presentLicense();
      const isOpen = features.some(({ feature, access }) => feature === 'crm' && access === 'FULL');
      for (let i = 0; i < times; i++) await world.setCrm(i % 2 === 0 ? !isOpen : isOpen);
    },
    async close() {
      world.closePortals();
      await running.close();
    },
  };
  return world;
}
