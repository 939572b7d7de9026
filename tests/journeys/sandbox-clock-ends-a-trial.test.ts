import { randomUUID } from 'node:crypto';
import { openGatewayWorld, type Person } from '../setup/gateway.ts';
import { graphql } from '../setup/graphql/gql.ts';

const FABLE = '01990000-0000-7000-8000-000000000a07';
const STANDING = graphql(`
  query Standing { tenant { now } license { version state trialEndsAt restrictedEndsAt } }
`);
const ADVANCE_CLOCK = graphql(`
  mutation AdvanceClock($input: AdvanceClockInput!) {
    advanceClock(input: $input) { tenant { now clockOffsetSeconds } userErrors { code message field } }
  }
`);
const LEADS_OF_SANDBOX = graphql(`
  query LeadsOfSandbox { leads(first: 5) { nodes { name } } }
`);
const CAPTURE_LEAD = graphql(`
  mutation CaptureLead($input: CaptureLeadInput!) { captureLead(input: $input) { lead { id } userErrors { code message } } }
`);
const NEW_SUBSCRIBER = graphql(`
  mutation NewSubscriber($input: CreateCustomerInput!) { createCustomer(input: $input) { customer { id } userErrors { code message } } }
`);
const TAKE_PAYMENT = graphql(`
  mutation TakePayment($input: RecordPaymentInput!) { recordPayment(input: $input) { payment { id } userErrors { code message } } }
`);
const FOLLOW_STATE = graphql(`
  subscription FollowState { licenseUpdated { kind version previousVersion changedKeys reason license { state } } }
`);
const FOLLOW_PEOPLE = graphql(`
  subscription FollowPeople { contactsChanged { kind } }
`);

describe('The clock of a sandbox is moved across the end of its trial', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let fen: Person;
  let ngozi: Person;
  let customerId: string;
  beforeAll(async () => {
    running = await openGatewayWorld();
    fen = await running.client.signIn('fen@fable.example', running.password);
    ngozi = await running.client.signIn('ngozi@platform.example', running.password);
  }, 60_000);
  afterAll(() => running?.close());

  const standing = async () => {
    const { data } = await fen.ask(STANDING);
    const { tenant, license } = data as never as {
      tenant: { now: string };
      license: { version: number; state: string; trialEndsAt: string; restrictedEndsAt: string };
    };
    return { now: new Date(tenant.now), ...license };
  };
  /** Moves the clock to `seconds` after an instant of the sandbox. */
  const moveTo = async (instant: string, seconds: number) => {
    const { now } = await standing();
    const by = `PT${Math.ceil((new Date(instant).getTime() - now.getTime()) / 1_000) + seconds}S`;
    const { data, errors } = await ngozi.ask(ADVANCE_CLOCK, { input: { tenantId: FABLE, by } });
    expect([errors, data?.advanceClock.userErrors]).toEqual([undefined, []]);
  };
  const capture = () =>
    fen.ask(CAPTURE_LEAD, {
      input: { name: 'Ines Faro', source: 'WEBSITE', email: 'ines@example.com', idempotencyKey: randomUUID() },
    });
  const subscribe = () => fen.ask(NEW_SUBSCRIBER, { input: { name: 'Noor Aziz', kind: 'PERSON' } });
  const pay = () =>
    fen.ask(TAKE_PAYMENT, {
      input: {
        ...{ customerId, amount: { amountMinor: '500', currency: 'GBP' }, method: 'CASH' },
        ...{ receivedOn: new Date().toISOString().slice(0, 10), idempotencyKey: randomUUID() },
      },
    });
  const refusalOf = ({ status, errors }: Awaited<ReturnType<typeof capture | typeof subscribe>>) => {
    const extensions = errors?.[0]?.extensions;
    return { status, code: extensions?.code, feature: extensions?.feature, reason: extensions?.reason };
  };

  test('while the trial runs everything is open', async () => {
    expect((await standing()).state).toBe('TRIAL');
    expect((await capture()).data?.captureLead?.userErrors).toEqual([]);
    const made = (await subscribe()).data?.createCustomer;
    expect(made?.userErrors).toEqual([]);
    customerId = String(made?.customer?.id);
    expect((await pay()).data?.recordPayment.userErrors).toEqual([]);
  });

  test('at its end what is licensed may be read and not changed, from the very next request on', async () => {
    const before = await standing();
    const portal = fen.follow(FOLLOW_STATE);
    expect((await portal.next()).data?.licenseUpdated.kind).toBe('SNAPSHOT');
    const people = fen.follow(FOLLOW_PEOPLE);
    await people.next();
    await moveTo(before.trialEndsAt, -60);
    expect((await capture()).errors).toBeUndefined();

    await moveTo(before.trialEndsAt, 1);
    expect(refusalOf(await capture())).toEqual({
      ...{ status: 402, code: 'FEATURE_NOT_LICENSED', feature: 'crm', reason: 'TRIAL_ENDED' },
    });
    const leads = await fen.ask(LEADS_OF_SANDBOX);
    expect([leads.status, leads.errors, leads.data?.leads?.nodes.length]).toEqual([200, undefined, 2]);
    expect(refusalOf(await subscribe())).toMatchObject({ code: 'FEATURE_NOT_LICENSED', feature: 'core' });
    expect((await pay()).data?.recordPayment.userErrors).toEqual([]);

    const told = (await portal.next()).data?.licenseUpdated;
    expect(told).toMatchObject({
      ...{ kind: 'DELTA', version: before.version + 1, previousVersion: before.version, reason: 'TRIAL_ENDED' },
      license: { state: 'RESTRICTED' },
    });
    expect((await standing()).state).toBe('RESTRICTED');
    await people.stop();
    await portal.stop();
  });

  test('fourteen days later it has expired: streams of what was licensed end by themselves, the core may be read, money is taken', async () => {
    const before = await standing();
    const portal = fen.follow(FOLLOW_STATE);
    await portal.next();
    const people = fen.follow(FOLLOW_PEOPLE);
    await people.next();
    await moveTo(before.restrictedEndsAt, -3);
    expect((await fen.ask(LEADS_OF_SANDBOX)).errors).toBeUndefined();
    let last = await people.next();
    while (!last.errors) last = await people.next();
    expect(last.errors[0]?.extensions).toMatchObject({
      ...{ code: 'FEATURE_NOT_LICENSED', feature: 'crm', reason: 'EXPIRED' },
    });
    await people.done;

    await moveTo(before.restrictedEndsAt, 60);
    const leads = await fen.ask(LEADS_OF_SANDBOX);
    expect([leads.status, leads.errors?.[0]?.extensions]).toMatchObject([402, { feature: 'crm', reason: 'EXPIRED' }]);
    expect(refusalOf(await subscribe())).toMatchObject({ code: 'FEATURE_NOT_LICENSED', feature: 'core' });
    expect((await pay()).data?.recordPayment.userErrors).toEqual([]);
    expect((await standing()).state).toBe('EXPIRED');
    expect((await portal.next()).data?.licenseUpdated).toMatchObject({
      ...{ kind: 'DELTA', version: before.version + 1, license: { state: 'EXPIRED' } },
    });
    await portal.stop();
  });
});
