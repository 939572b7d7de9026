import type { Context } from '../../_kernel/context.ts';
import { emit } from '../../_kernel/events.ts';
import { type SeedWorld, seedId } from '../../_kernel/seed-world.ts';
import { registerTenant } from '../tenant.service.ts';
import * as course from './course.rules.ts';
import { ProvisioningRun } from './provisioning-run.entity.ts';
import { skippedSteps, type Wanted } from './request.rules.ts';
import { courseOf, noteChange } from './run-change.service.ts';

const WHO = {
  slug: 'refuse-cove',
  name: 'Cove Net',
  country: 'PT',
  zone: 'Europe/Lisbon',
  locale: 'pt-PT',
  currency: 'EUR',
};
const REFUSED = 'The name server refuses this host.';

/** A tenant that never came to be: its run failed at the step `domain`, and was undone. */
export function seedFailedRun(world: SeedWorld): Promise<void> {
  return world.inTenant('platform', async (platform) => {
    const id = seedId('0a08');
    const home = platform.inTenant(id);
    await registerTenant(home, { id, kind: 'PRODUCTION', state: 'FAILED', ...WHO });
    await home.tx(() => writeRun(home));
  });
}

async function writeRun(home: Context): Promise<void> {
  const em = await home.em();
  const now = home.now();
  const admin = { name: 'Rui Costa', email: 'rui@cove.example' };
  const wanted: Wanted = {
    ...{ slug: WHO.slug, isolation: 'SHARED', region: 'eu', plan: 'starter', interval: 'MONTH', isTrial: false, admin },
  };
  const run = em.create(ProvisioningRun, {
    ...course.newCourse(skippedSteps('SHARED')),
    ...{ id: seedId('5008'), wanted, ticketHash: null, seq: 1, customerId: null, heldUntil: null },
    ...{ movedAt: now, createdAt: now },
  });
  await em.persist(run).flush();
  noteChange(em, run);
  for (const next of story(courseOf(run), now)) {
    Object.assign(run, next, { seq: run.seq + 1 });
    noteChange(em, run);
  }
  emit(em, 'tenancy.provisioning.failed', { runId: run.id, step: 'domain', error: REFUSED });
}

/** What the run looked like after each of its changes. */
function story(first: course.Course, now: Date): course.Course[] {
  const told = [first];
  const tell = (next: course.Course) => told.push(next);
  const present = () => told.at(-1) as course.Course;
  for (const { name, state } of first.steps.slice(0, course.STEP_NAMES.indexOf('domain')))
    if (state !== 'SKIPPED') tell(course.complete(course.begin(present(), name, now), name, now));
  while (present().state !== 'COMPENSATING')
    tell(course.fail(course.begin(present(), 'domain', now), 'domain', REFUSED, now));
  for (let step = course.currentStep(present()); step; step = course.currentStep(present()))
    tell(course.completeUndo(course.beginUndo(present(), step.name), step.name, now));
  tell({ ...present(), state: 'FAILED' });
  return told.slice(1);
}
