import { emit } from '../../../subgraphs/_kernel/events.ts';
import { openGatewayWorld, type Person } from '../../setup/gateway.ts';
import type { Answer } from '../licensing-world.ts';

const OLDTOWN = '01990000-0000-7000-8000-000000000a06';
const [RUN, NEXT, LATE] = ['01', '02', '03'].map((end) => `01990000-0000-7000-8000-0000000000${end}`) as [
  string,
  string,
  string,
];

describe('A tenant that is being made gets its licence, and loses it if the making is undone', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let ewa: Person;
  beforeAll(async () => {
    running = await openGatewayWorld();
    ewa = await running.client.signIn('ewa@oldtown.example', running.password);
  }, 60_000);
  afterAll(() => running?.close());
  const tenancyTells = async (tell: (em: Parameters<typeof emit>[0]) => void) => {
    const ctx = await running.world.system('oldtown', 'tenancy');
    await ctx.tx(async (em) => tell(em));
    await running.world.untilNoJobs();
  };
  const request = (runId: string, over: object = {}) =>
    tenancyTells((em) =>
      emit(em, 'tenancy.provisioning.license_requested', {
        ...{ runId, plan: 'professional', interval: 'MONTH', isTrial: true, ...over },
      }),
    );
  const undo = (runId: string, step = 'license') =>
    tenancyTells((em) => emit(em, 'tenancy.provisioning.undo_requested', { runId, step }));
  const told = async (name: string): Promise<Answer[]> =>
    (
      await running.world.sql('select payload from kernel.event where tenant_id = $1 and name = $2 order by seq', [
        OLDTOWN,
        name,
      ])
    ).map(({ payload }) => payload);
  const leads = async () => {
    const { data, errors } = await ewa.ask<Answer, object>(
      '{ license { version state } leads(first: 1) { nodes { number } } }',
    );
    return [data?.license ?? null, errors?.[0]?.extensions.reason ?? 'OPEN'];
  };

  test('a licence that cannot be given is not answered', async () => {
    await request(RUN, { plan: 'gold' });
    expect([await told('licensing.license.started'), await leads()]).toEqual([[], [null, 'NO_LICENSE']]);
  });

  test('a trial starts with the run that asked; asked again, it is answered again and there is one licence', async () => {
    await request(RUN);
    await request(RUN);
    const [first, again, ...more] = await told('licensing.license.started');
    expect(first).toMatchObject({
      runId: RUN,
      version: 1,
      plan: 'professional',
      interval: 'MONTH',
      trialEndsAt: first.validUntil,
    });
    expect([again, more]).toEqual([first, []]);
    expect(await leads()).toEqual([{ version: 1, state: 'TRIAL' }, 'OPEN']);
  });

  test('another run asks in vain while there is a licence', async () => {
    await request(NEXT);
    expect(await told('licensing.license.started')).toHaveLength(2);
    expect(await leads()).toEqual([{ version: 1, state: 'TRIAL' }, 'OPEN']);
  });

  test('the undoing of another step or of another run leaves it', async () => {
    await undo(RUN, 'account');
    expect(await told('licensing.license.withdrawn')).toEqual([]);
    await undo(NEXT);
    expect(await told('licensing.license.withdrawn')).toEqual([{ runId: NEXT }]);
    expect(await leads()).toEqual([{ version: 1, state: 'TRIAL' }, 'OPEN']);
  });

  test('undone, it is as if it had never been: at the gateway, in every answer, for every counter', async () => {
    await undo(RUN);
    await undo(RUN);
    expect((await told('licensing.license.withdrawn')).slice(1)).toEqual([{ runId: RUN }, { runId: RUN }]);
    const deadline = Date.now() + 3_000;
    while ((await leads())[1] !== 'NO_LICENSE' && Date.now() < deadline)
      await new Promise((done) => setTimeout(done, 50));
    expect(await leads()).toEqual([null, 'NO_LICENSE']);
    const limits = await running.world.sql(
      'select distinct "limit"::text, policy from kernel.quota where tenant_id = $1',
      [OLDTOWN],
    );
    expect(limits).toEqual([{ limit: '0', policy: 'HARD' }]);
  });

  test('a run that was undone before its request was heard gets nothing', async () => {
    await undo(LATE);
    await request(LATE);
    expect((await told('licensing.license.started')).filter(({ runId }) => runId === LATE)).toEqual([]);
    expect(await leads()).toEqual([null, 'NO_LICENSE']);
  });

  test('the run that tries again gets its trial, and versions go on', async () => {
    const [{ version }] = await running.world.sql(
      'select max(version) as version from licensing.license_change where tenant_id = $1',
      [OLDTOWN],
    );
    const retry = '01990000-0000-7000-8000-000000000004';
    await request(retry);
    expect((await told('licensing.license.started')).at(-1)).toMatchObject({ runId: retry, version: version + 1 });
    expect(await leads()).toEqual([{ version: version + 1, state: 'TRIAL' }, 'OPEN']);
  });
});
