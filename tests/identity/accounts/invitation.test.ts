import { randomUUID } from 'node:crypto';
import { seedId } from '../../../subgraphs/_kernel/seed-world.ts';
import { type Invited, inviteToActivate } from '../../../subgraphs/identity/accounts/invitation.service.ts';
import { endWhatIsDue, prune } from '../../../subgraphs/identity/accounts/sweeps.ts';
import { Membership } from '../../../subgraphs/identity/membership.entity.ts';
import { clientOf, openTrial, type Trial, tenantId } from '../trial.ts';
import { DEAD, doorsOf, FINE, lastToken, PASSWORD } from './accounts.ts';

let trial: Trial;
let doors: ReturnType<typeof doorsOf>;
let client: ReturnType<typeof clientOf>;
beforeAll(async () => {
  trial = await openTrial();
  doors = doorsOf(trial);
  client = clientOf(trial);
});
afterAll(() => trial?.close());

/** Invites somebody to be the technician of harbour, as the domains that make members do. */
async function invite(asked: Partial<Invited> & { email: string }): Promise<{ userId: string; membershipId: string }> {
  const ctx = await trial.system('harbour');
  return ctx.tx(async (em) => {
    const user = await inviteToActivate(ctx, em, { realm: 'STAFF', displayName: 'Timo Fast', ...asked });
    const membershipId = randomUUID();
    const made = { id: membershipId, userId: user.id, kind: 'STAFF', roles: ['technician'] } as const;
    em.persist(
      em.create(Membership, { ...made, roles: [...made.roles], state: 'INVITED', version: 1, createdAt: ctx.now() }),
    );
    return { userId: user.id, membershipId };
  });
}
const stateOf = async (membershipId: string) =>
  (await trial.sql('select state, version from identity.membership where id = $1', [membershipId]))[0];

describe('somebody who is invited', () => {
  test('cannot sign in, sets a password by the mail, and is in the tenant at once', async () => {
    const { userId, membershipId } = await invite({ email: 'Timo@harbour.example' });
    expect((await client.signIn({ email: 'timo@harbour.example' })).answer.session).toBeNull();
    const token = await lastToken(trial.mails('timo@harbour.example'));
    const { session, userErrors } = await doors.activate({ token, displayName: 'Timo Quick' });
    expect(userErrors).toEqual([]);
    expect(session?.tenant).toEqual({ slug: 'harbour' });
    expect(await stateOf(membershipId)).toEqual({ state: 'ACTIVE', version: 2 });
    const [user] = await trial.sql('select state, display_name, is_email_verified from identity.user where id = $1', [
      userId,
    ]);
    expect(user).toEqual({ state: 'ACTIVE', display_name: 'Timo Quick', is_email_verified: true });
    expect((await doors.activate({ token })).userErrors).toEqual(DEAD.userErrors);
    expect((await client.signIn({ email: 'timo@harbour.example', password: PASSWORD })).answer.session).not.toBeNull();
  });

  test('has a link for a week; the next invitation mails a new one and ends the old', async () => {
    await invite({ email: 'uma@harbour.example' });
    const first = await lastToken(trial.mails('uma@harbour.example'));
    await trial.sqlIn(
      'harbour',
      "update identity.membership set state = 'ENDED', ended_at = now() where state = 'INVITED'",
    );
    await invite({ email: 'uma@harbour.example' });
    expect((await doors.activate({ token: first })).userErrors).toEqual(DEAD.userErrors);
    const [kept] = await trial.sql(
      "select expires_at - now() between '6 days 23 hours' and '7 days' as is_week from identity.mail_proof where purpose = 'ACTIVATE'",
    );
    expect(kept).toEqual({ is_week: true });
    const token = await lastToken(trial.mails('uma@harbour.example'));
    expect((await doors.activate({ token })).userErrors).toEqual([]);
  });

  test('has an account already: nothing is mailed, and the membership begins within a minute', async () => {
    const { userId, membershipId } = await invite({ email: 'ada@kestrel.example' });
    expect(userId).toBe(seedId('6012'));
    expect(await trial.mails('ada@kestrel.example')).toEqual([]);
    await endWhatIsDue(await trial.system('platform'));
    expect((await stateOf(membershipId)).state).toBe('ACTIVE');
  });

  test('and does not come in seven days is not awaited any more', async () => {
    const { membershipId } = await invite({ email: 'vera@harbour.example' });
    await endWhatIsDue(await trial.system('platform'));
    expect((await stateOf(membershipId)).state).toBe('INVITED');
    await trial.sqlIn(
      'harbour',
      "update identity.membership set created_at = now() - interval '7 days 1 minute' where id = $1",
      [membershipId],
    );
    await endWhatIsDue(await trial.system('platform'));
    expect((await stateOf(membershipId)).state).toBe('ENDED');
    const [event] = await trial.sql(
      "select payload from kernel.event where name = 'identity.membership.ended' and payload ->> 'membershipId' = $1",
      [membershipId],
    );
    expect(event?.payload.reason).toBe('EXPIRED');
  });

  test('as a subscriber lives in the realm of their provider', async () => {
    const ctx = await trial.system('kestrel');
    const user = await ctx.tx((em) =>
      inviteToActivate(ctx, em, {
        realm: tenantId('kestrel'),
        email: 'ada@kestrel.example',
        displayName: 'Another Ada',
      }),
    );
    expect([user.id === seedId('6012'), user.state]).toEqual([false, 'INVITED']);
    const token = await lastToken(trial.mails('ada@kestrel.example'));
    expect((await doors.activate({ token, password: 'tenletters' })).userErrors).toEqual([]);
  });
});

describe('time', () => {
  test('ends sessions that rested too long, and says so in their log', async () => {
    const { tokens } = await client.enter({ email: 'milo@kestrel.example' });
    await trial.sql("update identity.session set idle_until = now() - interval '1 second' where id = $1", [
      tokens.sessionId,
    ]);
    await endWhatIsDue(await trial.system('platform'));
    const [session] = await trial.sql('select end_reason from identity.session where id = $1', [tokens.sessionId]);
    expect(session).toEqual({ end_reason: 'IDLE' });
    const [event] = await trial.sql(
      "select tenant_id from kernel.event where name = 'identity.session.ended' and payload ->> 'sessionId' = $1",
      [tokens.sessionId],
    );
    expect(event?.tenant_id).toBe(tenantId('kestrel'));
  });

  test('deletes who never proved their mail in a week, with all that was theirs', async () => {
    await doors.register({ email: 'late@fields.example' });
    await doors.register({ email: 'soon@fields.example' });
    await client.enter({ email: 'late@fields.example', password: PASSWORD });
    await trial.sql(
      "update identity.user set created_at = now() - interval '7 days 1 minute' where email = 'late@fields.example'",
    );
    await prune(await trial.system('platform'));
    const left = await trial.sql("select email from identity.user where email like '%@fields.example'");
    expect(left).toEqual([{ email: 'soon@fields.example' }]);
    expect(await doors.register({ email: 'late@fields.example' })).toEqual(FINE);
  });

  test('forgets old attempts, where they came from, idle counters and old rows of the feed', async () => {
    const old = (age: string, address: string) =>
      trial.sql(
        `insert into identity.sign_in_record (id, at, outcome, method, address) values (gen_random_uuid(), now() - $1::interval, 'OK', 'PWD', $2)`,
        [age, address],
      );
    await old('401 days', '203.0.113.1');
    await old('91 days', '203.0.113.2');
    await old('91 days', '2001:db8:1:2::3');
    await old('91 days', 'fe80::1%eth0');
    await old('89 days', '203.0.113.4');
    await trial.sql(
      "insert into identity.sign_in_bucket (key, last_at) values ('a', now() - interval '25 hours'), ('b', now())",
    );
    await trial.sql(
      "update kernel.feed set committed_at = now() - interval '61 minutes' where name = 'grants' and seq = 1",
    );
    await prune(await trial.system('platform'));
    const rows = await trial.sql(
      "select address from identity.sign_in_record where at < now() - interval '80 days' order by address",
    );
    expect(rows.map(({ address }) => address)).toEqual(['2001:db8:1::/48', '203.0.113.0/24', '203.0.113.4', null]);
    expect(await trial.sql("select key from identity.sign_in_bucket where key in ('a', 'b')")).toEqual([{ key: 'b' }]);
    expect(await trial.sql("select seq from kernel.feed where name = 'grants' and seq = 1")).toEqual([]);
    await prune(await trial.system('platform')); // again changes nothing
  });
});
