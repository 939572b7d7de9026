import { createHash } from 'node:crypto';
import { isId } from '../../../schema/ids.ts';
import { expectVersion } from '../../../schema/words.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { mayUse } from '../../_kernel/gate.ts';
import { tellHosts } from '../domains/tenant-domain.service.ts';
import { Tenant } from '../tenant.entity.ts';
import { takeUpload } from './brand-upload.service.ts';
import { BrandImage, type Branding, StoredBranding } from './branding.entity.ts';
import {
  type BrandingChange,
  checkBranding,
  checkColours,
  checkWhiteLabel,
  DEFAULT_PRIMARY,
  picture,
  pictureType,
  type WhiteLabelChange,
} from './branding.rules.ts';

const FIRST_VERSION = 1;

/** The looks of the context's tenant. */
export async function brandingOf(ctx: Context): Promise<Branding> {
  const em = await ctx.em();
  return shown(
    ctx,
    await em.findOneOrFail(Tenant, { id: ctx.tenantId }),
    await em.findOne(StoredBranding, { id: ctx.tenantId }),
  );
}

type Pictures = 'logoLight' | 'logoDark' | 'favicon';
type Change<C> = C & { expectedVersion: number } & { [P in Pictures]?: string | null };

/**
 * Changes what every tenant may of its looks; what is left out stays, null takes away. Refuses CONFLICT for an older
 * version, INVALID with the field for a picture, colour, address or number that is none, or cannot be read, NOT_FOUND for
 * an upload that is none.
 */
export function updateBranding(ctx: Context, change: Change<BrandingChange>): Promise<Branding> {
  return changeLooks(ctx, change, ['logoLight', 'logoDark'], checkBranding(change));
}

/** The same for what only a white label may have. */
export function updateWhiteLabel(ctx: Context, change: Change<WhiteLabelChange>): Promise<Branding> {
  const { hidePoweredBy } = change;
  const flag = hidePoweredBy === undefined ? {} : { hidePoweredBy: hidePoweredBy ?? false };
  return changeLooks(ctx, change, ['favicon'], { ...checkWhiteLabel(change), ...flag });
}

function changeLooks(
  ctx: Context,
  change: Change<object>,
  pictures: readonly Pictures[],
  values: object,
): Promise<Branding> {
  return ctx.tx(async (em) => {
    await em.execute('select from kernel.tenant_profile for update'); // one change after the other
    const tenant = await em.findOneOrFail(Tenant, { id: ctx.tenantId });
    const held = await em.findOne(StoredBranding, { id: tenant.id });
    expectVersion(held?.version ?? FIRST_VERSION, change.expectedVersion, 'branding');
    const row = held ?? em.create(StoredBranding, { id: tenant.id, version: FIRST_VERSION, hidePoweredBy: false });
    Object.assign(row, values);
    checkColours(row);
    for (const field of pictures) {
      const given = change[field];
      if (given !== undefined) row[field] = given === null ? null : await keepPicture(em, given, field);
    }
    row.version += 1;
    em.persist(row);
    await em.flush();
    await forgetPictures(em);
    emit(em, 'tenancy.branding.changed', { version: row.version });
    return shown(ctx, tenant, row);
  });
}

async function keepPicture(em: EntityManager, given: string, field: string): Promise<string> {
  const content = isId(given) ? await takeUpload(em, given, field) : picture(given, field);
  const id = `${createHash('sha256').update(content).digest('hex')}.${pictureType(content)}`;
  if (!(await em.findOne(BrandImage, { id }))) em.persist(em.create(BrandImage, { id, content }));
  return id;
}

/** Deletes pictures nothing shows any more. */
const forgetPictures = (em: EntityManager) =>
  em.execute(
    `delete from tenancy.brand_image i
      where not exists (select from tenancy.branding b where i.id in (b.logo_light, b.logo_dark, b.favicon))`,
  );

/** Where a picture is served. */
const urlOf = ({ machinery }: Context, tenantId: string, name: string | null | undefined): string | null =>
  name ? new URL(`/brand/${tenantId}/${name}`, machinery.config.PUBLIC_URL).href : null;

function shown(ctx: Context, tenant: Tenant, row: StoredBranding | null): Branding {
  const at = (name: string | null | undefined) => urlOf(ctx, tenant.id, name);
  const { version = FIRST_VERSION, hidePoweredBy = false, ...looks }: Partial<StoredBranding> = row ?? {};
  return {
    ...looks,
    version,
    displayName: looks.displayName ?? tenant.name,
    primaryColor: looks.primaryColor ?? DEFAULT_PRIMARY,
    logoLight: at(looks.logoLight),
    logoDark: at(looks.logoDark),
    whiteLabel: {
      ...looks,
      favicon: at(looks.favicon),
      hidePoweredBy,
      isShown: mayUse(ctx, 'white_label', false),
    },
  };
}

/**
 * Hears that the licence has lost the white label, or has it again. What was set is kept: whether it is shown the licence
 * itself says, at each look.
 */
export function noteWhiteLabel(ctx: Context, hasIt: boolean): Promise<void> {
  return ctx.tx(async (em) => {
    const held = await em.findOne(StoredBranding, { id: ctx.tenantId });
    if (hasIt && !held?.whiteLabelEndedAt) return;
    const row = held ?? em.create(StoredBranding, { id: ctx.tenantId, version: FIRST_VERSION, hidePoweredBy: false });
    row.whiteLabelEndedAt = hasIt ? null : ctx.now();
    em.persist(row);
    await tellHosts(em);
    emit(em, 'tenancy.branding.changed', { version: row.version });
  });
}
