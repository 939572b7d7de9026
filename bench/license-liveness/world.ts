import { SEED_TENANTS, type SeedTenant, seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { GatewayClient, type Person } from '../../tests/setup/gateway.ts';
import type { Deployment } from '../deployments.ts';

/** What a licence change answers. */
export interface Changed {
  version: number;
  propagation: { nodes: number; acknowledged: number; waitedMs: number };
  /** From its request to its answer, milliseconds. */
  tookMs: number;
}

/** The product apart, with the people of the example world at each of its gateways. */
export interface LivenessWorld {
  product: Deployment;
  databaseUrl: string;
  gateways: GatewayClient[];
  /** Somebody's token; it lives five minutes. */
  tokenOf(email: string): Promise<string>;
  /** Opens or shuts CRM for a tenant, at one of the gateways. Throws unless exactly that became of it. */
  turn(tenant: SeedTenant, isOn: boolean, gateway: number): Promise<Changed>;
  /** Signs the platform's operator in again. */
  renew(): Promise<void>;
}

const SET = `mutation($tenantId: ID!, $isEnabled: Boolean!) {
  setOverride(input: { tenantId: $tenantId, key: "crm", isEnabled: $isEnabled, reason: "Measured." }) {
    license { version } propagation { nodes acknowledged waitedMs } userErrors { message }
  }
}`;

interface SetAnswer {
  setOverride: Pick<Changed, 'propagation'> & { license: { version: number } | null; userErrors: object[] };
}

export async function openLivenessWorld(
  product: Deployment,
  databaseUrl: string,
  password: string,
): Promise<LivenessWorld> {
  const gateways = product.ports.map((port) => new GatewayClient(port));
  const door = gateways[0] as GatewayClient;
  const tokenOf = async (email: string) => (await door.signIn(email, password)).token;
  let operators: Person[] = [];
  const renew = async () => {
    const token = await tokenOf('ngozi@platform.example');
    operators = gateways.map((gateway) => gateway.as(token));
  };
  await renew();
  return {
    product,
    databaseUrl,
    gateways,
    tokenOf,
    renew,
    async turn(tenant, isOn, gateway) {
      const sentAt = performance.now();
      const variables = { tenantId: seedId(SEED_TENANTS[tenant]), isEnabled: isOn };
      const { data, errors } = await (operators[gateway] as Person).ask<SetAnswer, object>(SET, variables);
      const { license, propagation, userErrors } = data?.setOverride ?? {};
      if (errors || !license || !propagation || userErrors?.length) throw new Error(JSON.stringify(errors ?? data));
      return { version: license.version, propagation, tookMs: performance.now() - sentAt };
    },
  };
}
