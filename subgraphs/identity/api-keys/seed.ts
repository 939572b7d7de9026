import type { Permission } from '../../../schema/permissions.ts';
import { hashOfKey } from '../../_kernel/api-key.ts';
import { type SeedTenant, type SeedWorld, seedApiKey, seedId } from '../../_kernel/seed-world.ts';
import { ApiKey } from './api-key.entity.ts';
import type { ApiKeyState } from './api-key.rules.ts';
import { wakeForKeys } from './key-care.service.ts';

const DAY_MS = 86_400_000;

interface SeedKey {
  keyId: string;
  name: string;
  tenant: SeedTenant;
  /** Who made it. */
  madeBy: string;
  state: ApiKeyState;
  scopes: Permission[];
  /** When it was made and when it ends, days from the start. */
  lasts: readonly [from: number, to: number];
}

const key = (
  digits: string,
  tenant: SeedTenant,
  madeBy: string,
  name: string,
  state: ApiKeyState,
  scopes: Permission[],
  lasts: SeedKey['lasts'],
): SeedKey => ({ keyId: seedId(digits), name, tenant, madeBy: seedId(madeBy), state, scopes, lasts });

/** Northwind's three, and one of a suspended tenant that works again once it has paid. */
export const KEYS: readonly SeedKey[] = [
  key(
    '6034',
    'northwind',
    '6021',
    'Accounting',
    'ACTIVE',
    ['billing.customer.read', 'billing.invoice.read'],
    [-40, 325],
  ),
  key('6035', 'northwind', '6021', 'Old website', 'EXPIRED', ['tickets.ticket.read'], [-385, -20]),
  key('6036', 'northwind', '6021', 'Lost laptop', 'REVOKED', ['network.service.read'], [-90, 275]),
  key('6052', 'sable', '6051', 'Monitoring', 'ACTIVE', ['billing.customer.read'], [-200, 165]),
];

/** The API keys of the example world. */
export async function seedKeys(world: SeedWorld): Promise<void> {
  for (const { keyId: id, tenant, lasts, ...terms } of KEYS)
    await world.inTenant(tenant, (ctx) =>
      ctx.tx(async (em) => {
        const text = seedApiKey(world.password, id);
        const [createdAt, expiresAt] = lasts.map((days) => new Date(ctx.now().getTime() + days * DAY_MS)) as [
          Date,
          Date,
        ];
        em.persist(
          em.create(ApiKey, {
            ...terms,
            ...{ id, createdAt, expiresAt, mode: 'LIVE', start: text.slice(0, 12), hash: hashOfKey(text) },
            ...{ addresses: [], requestsPerSecond: 20, version: terms.state === 'ACTIVE' ? 1 : 2 },
            ...{ replacedBy: null, retiresAt: null, reviewSince: null, warnedDays: null, lastUsedAt: null },
          }),
        );
        await em.flush();
        await wakeForKeys(em);
      }),
    );
}
