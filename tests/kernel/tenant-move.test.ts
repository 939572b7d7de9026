import { setTimeout as sleep } from 'node:timers/promises';
import { createHome, dropHome, migrateHome } from '../../subgraphs/_kernel/home-databases.ts';
import { homeUrl } from '../../subgraphs/_kernel/homes.ts';
import { settleIn } from '../../subgraphs/_kernel/residence.ts';
import { SEED_TENANTS, seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { TenantMove } from '../../subgraphs/_kernel/tenant-move.ts';
import { migrate } from '../../subgraphs/migrate.ts';
import { openWorld, type World } from '../setup/world.ts';
import { asRole, codeOf, enterTenant, withClient } from './by-hand.ts';

const KESTREL = seedId(SEED_TENANTS.kestrel);
const HOME = 'probe';

describe('A tenant is carried to another home', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
    await createHome(world.config, HOME);
    await createHome(world.config, HOME);
    await migrateHome(world.config, HOME, migrate);
    await migrateHome(world.config, HOME, migrate);
  }, 60_000);
  afterAll(() => world?.close());

  const move = <T>(run: (move: TenantMove) => Promise<T>) =>
    TenantMove.open(world.config, { tenantId: KESTREL, from: '', to: HOME }, run);
  const rename = (subject: string, hold?: Promise<void>) =>
    asRole(world, 'svc_tickets', async (client) => {
      await client.query('begin');
      await enterTenant(client, KESTREL);
      await client.query('update tickets.ticket set subject = $1', [subject]);
      await hold;
      await client.query('commit');
    });
  const subjectsThere = () =>
    withClient(homeUrl(world.config, HOME), async (client) => {
      const { rows } = await client.query('select distinct subject from tickets.ticket where tenant_id = $1', [
        KESTREL,
      ]);
      return rows.map(({ subject }) => subject as string);
    });

  test('what is written while it is copied comes too, and the last writer is waited for', () =>
    move(async (moving) => {
      await moving.follow();
      await moving.clear();
      await rename('While it is copied');
      await moving.copyAll(() => undefined);
      await rename('After it was copied');
      expect(await moving.copyChanges()).toBeGreaterThan(0);
      expect(await subjectsThere()).toEqual(['After it was copied']);

      let commit = () => {};
      const held = new Promise<void>((resolve) => {
        commit = resolve;
      });
      const last = rename('The last word', held);
      await sleep(200);
      let isPaused = false;
      const pausing = moving.pause(5_000).then(() => {
        isPaused = true;
      });
      await sleep(200);
      expect(isPaused).toBe(false);
      commit();
      await Promise.all([last, pausing]);
      expect(await codeOf(rename('Too late'))).toBe('TN003');
      await moving.copyChanges();
      await moving.compare();
      expect(await subjectsThere()).toEqual(['The last word']);
      await moving.seal();
    }));

  test('a pause that nobody ends is over by itself, and then it is too late to go on', () =>
    move(async (moving) => {
      await moving.follow();
      await moving.pause(300);
      expect(await codeOf(rename('In the pause'))).toBe('TN003');
      await sleep(400);
      await rename('After the pause');
      await expect(moving.seal()).rejects.toThrow('The pause has ended');
    }));

  test('ends that differ in one letter are not the same', () =>
    move(async (moving) => {
      await moving.follow();
      await moving.copyChanges();
      await moving.clear();
      await moving.copyAll(() => undefined);
      await moving.compare();
      await withClient(homeUrl(world.config, HOME), (client) =>
        client.query(
          `set session_replication_role = replica; update tickets.ticket_message set body_text = body_text || '.'
            where id = (select id from tickets.ticket_message limit 1)`,
        ),
      );
      await expect(moving.compare()).rejects.toThrow('tickets.ticket_message differs');
    }));

  test('undone, it is written where it lives as if nothing had been', async () => {
    await TenantMove.undo(world.config, { tenantId: KESTREL, from: '', to: HOME });
    await rename('As before');
    const [row] = await world.sql('select count(*)::int as n from kernel.changed_row');
    expect(row.n).toBe(0);
  });

  test('a new tenant may settle at a home of its own, and the home goes with everything in it', async () => {
    await settleIn(world.config, HOME, KESTREL);
    const [state] = await withClient(
      homeUrl(world.config, HOME),
      async (client) => (await client.query('select state from kernel.residence where tenant_id = $1', [KESTREL])).rows,
    );
    expect(state.state).toBe('HERE');
    await dropHome(world.config, HOME);
    await dropHome(world.config, HOME);
    expect(await codeOf(withClient(homeUrl(world.config, HOME), async () => undefined))).toBe('3D000');
  });
});
