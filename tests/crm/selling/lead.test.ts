import { randomUUID } from 'node:crypto';
import type { Context } from '../../../subgraphs/_kernel/context.ts';
import { seedId } from '../../../subgraphs/_kernel/seed-world.ts';
import type { Lead } from '../../../subgraphs/crm/selling/lead.entity.ts';
import * as selling from '../../../subgraphs/crm/selling/lead.service.ts';
import { type Asker, BRUNO, EDDA, openWorld, type World, WREN } from '../../setup/world.ts';

const NILS: Asker = { tenant: 'northwind', user: '6025', roles: ['sales'] };

describe('leads', () => {
  let world: World;
  let nils: Context;
  beforeAll(async () => {
    world = await openWorld();
    nils = await world.context(NILS, 'crm');
  });
  afterAll(() => world?.close());

  const ask = async (query: string, variables: Record<string, unknown> = {}, who: Asker = NILS) => {
    const { data, errors } = await world.ask(who, 'crm', query, variables);
    return { data: data as Record<string, unknown>, codes: errors?.map(({ extensions }) => extensions?.code) };
  };
  const capture = (more: Partial<selling.NewLead> = {}) =>
    selling.captureLead(nils, {
      kind: 'RESIDENTIAL',
      name: 'Zoe Anders',
      source: 'WEBSITE',
      phone: '0170 1234567',
      idempotencyKey: randomUUID(),
      ...more,
    });
  const seen = (lead: Lead) => ({ leadId: lead.id, expectedVersion: lead.version });
  const eventsOf = async (lead: Lead) => {
    const ctx = await world.system('northwind', 'crm');
    const rows = await (await ctx.em()).execute(
      "select name, payload from kernel.event where payload ->> 'leadId' = ? order by seq",
      [lead.id],
    );
    await ctx.end();
    return rows.map(({ name, payload }) => [name, payload]);
  };

  test('the first call begins a chain, and the news says no name', async () => {
    const lead = await capture({ need: 'Speed' });
    expect(lead).toMatchObject({
      status: 'NEW',
      phone: '+491701234567',
      score: 23,
      grade: 'D',
      priority: 3,
      version: 1,
    });
    expect(lead.number).toMatch(/^L-\d{6}$/);
    expect(await eventsOf(lead)).toEqual([
      ['crm.lead.captured', { leadId: lead.id, number: lead.number, chainId: lead.chainId, source: 'WEBSITE' }],
    ]);
  });

  test('the same call written down twice is one lead', async () => {
    const idempotencyKey = randomUUID();
    const [a, b] = [await capture({ idempotencyKey }), await capture({ idempotencyKey })];
    expect(a.id).toBe(b.id);
    await expect(capture({ idempotencyKey, name: 'Somebody else' })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_MISMATCH',
    });
  });

  test('what is learned changes the score, and only a new grade is news', async () => {
    const lead = await capture();
    const better = await selling.updateLead(nils, {
      ...seen(lead),
      kind: 'ENTERPRISE',
      need: 'Speed',
      isDecisionMaker: true,
      monthlyBudget: { amountMinor: 50_000n, currency: 'EUR' },
    });
    expect(better).toMatchObject({ score: 51, grade: 'B', version: 2, name: 'Zoe Anders', phone: '+491701234567' });
    const named = await selling.updateLead(nils, { ...seen(better), name: 'Zoe A.' });
    expect(named).toMatchObject({ score: 51, monthlyBudgetMinor: 50_000n, currency: 'EUR', version: 3 });
    expect((await eventsOf(lead)).map(([name]) => name)).toEqual(['crm.lead.captured', 'crm.lead.graded']);
    await expect(selling.updateLead(nils, { ...seen(named), phone: null })).rejects.toMatchObject({
      code: 'INVALID',
      field: 'email',
    });
  });

  test('a lead goes its way and tells of it', async () => {
    const qualified = await selling.qualifyLead(nils, seen(await selling.advanceLead(nils, seen(await capture()))));
    expect(qualified).toMatchObject({ status: 'QUALIFIED', version: 3 });
    const lost = await selling.disqualifyLead(nils, { ...seen(qualified), reason: 'PRICE' });
    expect(lost).toMatchObject({ status: 'DISQUALIFIED', disqualifiedFor: 'PRICE' });
    await expect(selling.qualifyLead(nils, seen(lost))).rejects.toMatchObject({
      code: 'INVALID_STATE',
      message: 'A DISQUALIFIED lead cannot be qualified.',
    });
    expect(await selling.reopenLead(nils, seen(lost))).toMatchObject({ status: 'CONTACTED', disqualifiedFor: null });
    expect((await eventsOf(lost)).map(([name]) => name)).toEqual([
      'crm.lead.captured',
      'crm.lead.qualified',
      'crm.lead.disqualified',
    ]);
  });

  test('twenty changes of one version: one succeeds', async () => {
    const lead = seen(await capture());
    const sellers = await Promise.all(Array.from({ length: 20 }, () => world.context(NILS, 'crm')));
    const tried = await Promise.allSettled(
      sellers.map((ctx, i) => selling.updateLead(ctx, { ...lead, name: `Name ${i}` })),
    );
    expect(tried.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of tried)
      if (result.status === 'rejected')
        expect(result.reason).toMatchObject({ code: 'CONFLICT', message: 'Someone changed this lead meanwhile.' });
  });

  test('a conflict shows the lead as it is now', async () => {
    const lead = await capture();
    await selling.updateLead(nils, { ...seen(lead), name: 'Newer' });
    const { data } = await ask(
      'mutation($input: QualifyLeadInput!) { qualifyLead(input: $input) { lead { name version } userErrors { code field } } }',
      { input: seen(lead) },
    );
    expect(data.qualifyLead).toEqual({
      lead: { name: 'Newer', version: 2 },
      userErrors: [{ code: 'CONFLICT', field: 'expectedVersion' }],
    });
  });

  test('another tenant’s lead looks like one that never was, by every door', async () => {
    const { id } = await capture();
    for (const door of ['updateLead', 'advanceLead', 'qualifyLead', 'reopenLead', 'disqualifyLead']) {
      const type = `${door[0]?.toUpperCase()}${door.slice(1)}Input`;
      const asked = (leadId: string) =>
        ask(
          `mutation($input: ${type}!) { ${door}(input: $input) { lead { id } userErrors { code message field } } }`,
          { input: { leadId, expectedVersion: 1, ...(door === 'disqualifyLead' ? { reason: 'PRICE' } : {}) } },
          BRUNO,
        );
      expect(await asked(id)).toEqual(await asked(randomUUID()));
      expect((await asked(id)).data[door]).toEqual({
        lead: null,
        userErrors: [{ code: 'NOT_FOUND', message: 'There is no such lead.', field: 'leadId' }],
      });
    }
    for (const foreign of [id, randomUUID(), 'no id at all'])
      expect((await ask('query($id: ID!) { lead(id: $id) { id } }', { id: foreign }, BRUNO)).data).toEqual({
        lead: null,
      });
    const entities = await ask(
      'query($r: [_Any!]!) { _entities(representations: $r) { ... on Lead { id } } }',
      { r: [{ __typename: 'Lead', id }] },
      BRUNO,
    );
    expect(entities.data).toEqual({ _entities: [null] });
    const [here, there] = [
      JSON.stringify(await ask('{ leads { nodes { name need } } }')),
      JSON.stringify(await ask('{ leads { nodes { name need } } }', {}, BRUNO)),
    ];
    expect([here.includes('CANARY-NORTHWIND'), here.includes('CANARY-ATLAS')]).toEqual([true, false]);
    expect([there.includes('CANARY-NORTHWIND'), there.includes('CANARY-ATLAS')]).toEqual([false, true]);
  });

  test('the best lead comes first by score, the newest otherwise, each once however it is paged', async () => {
    type Page = { nodes: { id: string; score: number }[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
    for (const orderBy of ['SCORE', 'NEWEST']) {
      const page = async (first: number, after: string | null) =>
        (
          await ask(
            `query($first: Int!, $after: String) { leads(orderBy: ${orderBy}, first: $first, after: $after) { nodes { id score } pageInfo { hasNextPage endCursor } } }`,
            { first, after },
          )
        ).data.leads as Page;
      const met: Page['nodes'] = [];
      for (let after: string | null = null, more = true; more; ) {
        const { nodes, pageInfo } = await page(4, after);
        met.push(...nodes);
        [after, more] = [pageInfo.endCursor, pageInfo.hasNextPage];
      }
      expect(met).toEqual((await page(100, null)).nodes);
      expect(new Set(met.map(({ id }) => id)).size).toBe(met.length);
      if (orderBy === 'SCORE')
        expect(met.map(({ score }) => score)).toEqual(met.map(({ score }) => score).sort((a, b) => b - a));
    }
  });

  test('filters narrow the list, and what is made up is refused', async () => {
    const mine = await capture({ name: 'Per 100 % cent', ownerId: seedId('6025') });
    const found = async (filter: string) => (await ask(`{ leads(filter: ${filter}) { nodes { id } } }`)).data.leads;
    expect(await found(`{ text: "100 % c", status: NEW, ownerId: "${seedId('6025')}" }`)).toEqual({
      nodes: [{ id: mine.id }],
    });
    expect(await found('{ text: "100 _ c" }')).toEqual({ nodes: [] });
    expect(await found('{ ownerId: "nobody" }')).toEqual({ nodes: [] });
    for (const args of [
      'first: 101',
      'after: "WyJ4IiwieSJd"',
      'orderBy: SCORE, after: "WyJ4IiwieSJd"',
      'filter: { text: "x" }',
    ])
      expect((await ask(`{ leads(${args}) { nodes { id } } }`)).codes).toEqual(['BAD_USER_INPUT']);
  });

  test('who may not sell captures nothing, and a starter has no leads at all', async () => {
    const mutation =
      'mutation { captureLead(input: { name: "x", source: OTHER, phone: "030 901820", idempotencyKey: "k" }) { userErrors { code } } }';
    expect((await ask(mutation, {}, EDDA)).codes).toEqual(['FORBIDDEN']);
    expect((await ask('{ leads { nodes { id } } }', {}, EDDA)).codes).toBeUndefined();
    expect(await ask('{ leads { nodes { id } } }', {}, WREN)).toEqual({
      data: { leads: null },
      codes: ['FEATURE_NOT_LICENSED'],
    });
  });
});
