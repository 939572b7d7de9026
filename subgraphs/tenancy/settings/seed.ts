import type { SeedWorld } from '../../_kernel/seed-world.ts';
import { updateSettings } from './settings.service.ts';

/** How Northwind came to the fourth version of its network: one change after the other. */
const CHANGES = [
  [{ key: 'vlan_min', value: '200' }],
  [
    { key: 'vlan_max', value: '1999' },
    { key: 'ipv4_pool', value: '100.64.0.0/10' },
  ],
  [{ key: 'ipv6_prefix_length', value: '56' }],
];

/** The settings of the example world. */
export async function seedSettings(world: SeedWorld): Promise<void> {
  for (const [i, changes] of CHANGES.entries())
    await world.inTenant('northwind', (ctx) =>
      updateSettings(ctx, { section: 'network', expectedVersion: i + 1, changes }),
    );
}
