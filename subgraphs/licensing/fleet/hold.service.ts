import { uuidv7 } from 'uuidv7';
import { Refusal } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import type { License } from '../licenses/license.entity.ts';
import { licenseInForce } from '../licenses/license.service.ts';
import { type Changed, changing, type Told } from '../licenses/license-change.service.ts';
import { Hold, type HoldKind } from '../terms/hold.entity.ts';
import type { HoldLevel } from '../terms/license.rules.ts';
import { checkReason } from './override.rules.ts';
import { tenantOfStanding } from './standing-place.service.ts';

export interface NewHold {
  kind: HoldKind;
  level: HoldLevel;
  reason: string;
}

/** Closes the licence of the tenant of the context at least as far as the level, until the hold is lifted. */
export function placeLicenseHold(ctx: Context, wanted: NewHold): Promise<Changed> {
  return ctx.tx((em) => changing(ctx, em, ({ license }) => place(ctx, em, license, wanted)));
}

/** Lifts one hold; another one that is open holds on. Refuses with NOT_FOUND one that is unknown or lifted. */
export function liftLicenseHold(ctx: Context, id: string, reason: string): Promise<Changed> {
  return ctx.tx((em) =>
    changing(ctx, em, ({ holds }) =>
      lift(
        ctx,
        holds.find((hold) => hold.id === id),
        reason,
      ),
    ),
  );
}

/** The tenant whose licence a hold is on, for the control plane. Refuses with NOT_FOUND an unknown one. */
export async function tenantOfHold(ctx: Context, id: string): Promise<string> {
  const tenantId = await tenantOfStanding(ctx, 'hold', id);
  if (!tenantId) throw noSuchHold();
  return tenantId;
}

/** A suspended tenant's licence is held until the tenant is reactivated; a tenant without a licence needs no hold. */
export async function holdSuspendedTenant(ctx: Context, because: string): Promise<void> {
  if (!(await licenseInForce(ctx))) return;
  await ctx.tx((em) =>
    changing(ctx, em, ({ license, holds }) => {
      const reason = `The tenant is suspended: ${because}.`;
      if (holds.some((hold) => hold.kind === 'TENANT_SUSPENDED')) return { cause: 'HOLD_PLACED', reason };
      return place(ctx, em, license, { kind: 'TENANT_SUSPENDED', level: 'SUSPENDED', reason });
    }),
  );
}

/** Lifts the hold of a suspension that is over. */
export async function releaseReactivatedTenant(ctx: Context): Promise<void> {
  if (!(await licenseInForce(ctx))) return;
  await ctx.tx((em) =>
    changing(ctx, em, ({ holds }) => {
      const told: Told = { cause: 'HOLD_LIFTED', reason: 'The tenant is active again.' };
      for (const hold of holds.filter(({ kind }) => kind === 'TENANT_SUSPENDED')) lift(ctx, hold, String(told.reason));
      return told;
    }),
  );
}

const actorOf = (ctx: Context) => ctx.actorId ?? ctx.envelope.caller.kind;
const noSuchHold = () => new Refusal('NOT_FOUND', 'There is no such hold.', 'id');

function place(ctx: Context, em: EntityManager, license: License, wanted: NewHold): Told {
  const reason = checkReason(wanted.reason);
  const hold = em.create(Hold, {
    ...{ id: uuidv7(), licenseId: license.id, kind: wanted.kind, level: wanted.level, reason },
    ...{ placedAt: ctx.now(), placedBy: actorOf(ctx), liftedAt: null, liftedBy: null },
  });
  em.persist(hold);
  return { cause: 'HOLD_PLACED', reason };
}

function lift(ctx: Context, hold: Hold | undefined, reason: string): Told {
  if (!hold) throw noSuchHold();
  Object.assign(hold, { liftedAt: ctx.now(), liftedBy: actorOf(ctx) });
  return { cause: 'HOLD_LIFTED', reason: checkReason(reason) };
}
