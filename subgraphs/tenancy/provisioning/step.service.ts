import { UniqueConstraintViolationException } from '@mikro-orm/core';
import { Refusal } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { dnsOf } from '../../_kernel/dns.ts';
import { emit, emitToPlatform } from '../../_kernel/events.ts';
import { type Mail, sendMail } from '../../_kernel/mail.ts';
import { portalUrlOf } from '../../_kernel/portal-url.ts';
import { addPlatformName, platformHost, removePlatformName } from '../domains/platform-name.service.ts';
import type { Tenant } from '../tenant.entity.ts';
import { advance } from '../tenant.rules.ts';
import { findOrRefuse, saveTenant } from '../tenant.service.ts';
import type { StepName } from './course.rules.ts';
import * as homes from './homes.ts';
import { lookForOthers } from './probe.service.ts';
import type { ProvisioningRun } from './provisioning-run.entity.ts';
import { slugTaken } from './request.rules.ts';

/** What a step does and how it is undone. All of it may be repeated: a crash can come between any two lines. */
export interface Work {
  /** Another domain answers; `write` and `undo` ask it. */
  waits?: true;
  /** Reaches outside the database, in no transaction. */
  act?(ctx: Context, run: ProvisioningRun): Promise<void>;
  /** Runs in the transaction that notes the step as done, or as asked. */
  write?(em: EntityManager, run: ProvisioningRun, ctx: Context): Promise<void> | void;
  undoAct?(ctx: Context, run: ProvisioningRun): Promise<void>;
  undo?(em: EntityManager, run: ProvisioningRun, ctx: Context): Promise<void> | void;
}

export const WORK: Record<StepName, Work> = {
  reserve: { write: reserveSlug },
  place: { write: homes.reservePlace, undo: homes.givePlaceBack },
  database: { act: homes.createDatabase, undoAct: homes.dropDatabase },
  migrate: { act: homes.migrateDatabase, write: homes.settle },
  seed: { write: announce },
  license: { waits: true, write: requestLicense, undo: (em, { id }) => requestUndo(em, id, 'license') },
  account: {
    waits: true,
    write: requestAccount,
    undo: (em, { id }) => emitToPlatform(em, 'tenancy.provisioning.undo_requested', { runId: id, step: 'account' }),
  },
  admin: { waits: true, write: requestAdmin, undo: (em, { id }) => requestUndo(em, id, 'admin') },
  deploy: {},
  domain: {
    act: (ctx, { wanted }) => dnsOf(ctx.machinery.config).point(platformHost(ctx, wanted.slug)),
    write: (em, { wanted }, ctx) => addPlatformName(em, ctx, wanted.slug),
    undoAct: (ctx, { wanted }) => dnsOf(ctx.machinery.config).remove(platformHost(ctx, wanted.slug)),
    undo: (em) => removePlatformName(em),
  },
  verify: { act: lookForOthers },
  activate: { write: activate },
};

/** The slug is the tenant's since it was asked for; after a failure that lies long back it has to be free still. */
async function reserveSlug(em: EntityManager, { homeId, wanted }: ProvisioningRun): Promise<void> {
  const tenant = await findOrRefuse(em, homeId);
  if (tenant.slug === wanted.slug) return;
  tenant.slug = wanted.slug;
  await saveTenant(em, tenant).catch((error: Error) => {
    throw error instanceof UniqueConstraintViolationException ? slugTaken() : error;
  });
}

/** Every domain lays its defaults. */
async function announce(em: EntityManager, { id, homeId }: ProvisioningRun): Promise<void> {
  const { slug, name, kind, country, zone, locale, currency, billingEmail } = await findOrRefuse(em, homeId);
  if (kind === 'PLATFORM') throw new Refusal('INVALID_STATE', 'The platform itself is not set up.');
  emit(em, 'tenancy.tenant.created', {
    ...{ runId: id, slug, name, kind, country, zone, locale, currency },
    billingEmail: billingEmail ?? null,
  });
}

function requestLicense(em: EntityManager, { id, wanted }: ProvisioningRun): void {
  const { plan, interval, isTrial } = wanted;
  emit(em, 'tenancy.provisioning.license_requested', { runId: id, plan, interval, isTrial });
}

async function requestAccount(em: EntityManager, { id, homeId }: ProvisioningRun): Promise<void> {
  const { name, legalName, country, zone, locale, currency, billingEmail } = await findOrRefuse(em, homeId);
  emitToPlatform(
    em,
    'tenancy.provisioning.account_requested',
    { runId: id, tenantId: homeId, country, zone, locale, currency },
    { name, legalName: legalName ?? null, email: billingEmail ?? null },
  );
}

function requestAdmin(em: EntityManager, { id, customerId, wanted: { admin } }: ProvisioningRun): void {
  if (!customerId) throw new Error('The account comes before its administrator.');
  const asked = { runId: id, customerId };
  if ('userId' in admin) emit(em, 'tenancy.provisioning.admin_requested', { ...asked, userId: admin.userId });
  else emit(em, 'tenancy.provisioning.admin_requested', asked, { ...admin });
}

function requestUndo(em: EntityManager, runId: string, step: StepName): void {
  emit(em, 'tenancy.provisioning.undo_requested', { runId, step });
}

async function activate(em: EntityManager, { homeId }: ProvisioningRun, ctx: Context): Promise<void> {
  const tenant = await findOrRefuse(em, homeId);
  tenant.state = advance(tenant.state, 'ACTIVE');
  await saveTenant(em, tenant);
  emit(em, 'tenancy.tenant.activated', { placementVersion: 1 });
  if (tenant.contactEmail) sendMail(em, welcome(tenant, tenant.contactEmail, await portalUrlOf(ctx)));
}

const welcome = ({ name, slug }: Tenant, to: string, url: string): Mail => ({
  to,
  subject: `${name} is ready`,
  text: `${name} is set up under the short name ${slug}. Sign in here:\n\n${url}\n\nWho is new here gets a mail of their own to begin with.`,
});
