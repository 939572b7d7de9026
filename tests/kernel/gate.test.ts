import 'reflect-metadata';
import { createUnionType, Field, ID, InterfaceType, Mutation, ObjectType, Query, Resolver } from 'type-graphql';
import { OpenDoor, RequiresFeature, SignedIn } from '../../schema/directives.ts';
import type { FeatureAccess } from '../../schema/features.ts';
import { Context, type Machinery } from '../../subgraphs/_kernel/context.ts';
import { mayUse } from '../../subgraphs/_kernel/gate.ts';
import { anonymousEnvelope, type Envelope } from '../../subgraphs/_kernel/signed-context.ts';
import { defineSubgraph, runSubgraph } from '../../subgraphs/_kernel/subgraph.ts';
import { createLog } from '../../subgraphs/_kernel/telemetry.ts';

@InterfaceType()
abstract class Thing {
  @Field(() => ID) id!: string;
  @Field(() => String) name!: string;
}

@ObjectType({ implements: Thing })
@RequiresFeature('crm')
class Secret extends Thing {
  @Field(() => String) word!: string;
}

@ObjectType({ implements: Thing })
class Plain extends Thing {}

const AnyThing = createUnionType({
  name: 'AnyThing',
  types: () => [Secret, Plain] as const,
  resolveType: (one: Thing) => one.constructor.name,
});

@ObjectType()
class StorePayload {
  @Field(() => Secret, { nullable: true }) secret?: Secret;
  @Field(() => Boolean) isStored!: boolean;
}

const secret = () => Object.assign(new Secret(), { id: '1', name: 'hidden name', word: 'hidden word' });
const plain = () => Object.assign(new Plain(), { id: '2', name: 'plain name' });

@Resolver()
class Things {
  @Query(() => [Thing], { nullable: true })
  @SignedIn()
  things() {
    return [secret(), plain()];
  }

  @Query(() => [AnyThing], { nullable: true })
  @SignedIn()
  either() {
    return [secret(), plain()];
  }

  @Query(() => String)
  @OpenDoor('Anyone may look.')
  shelf() {
    return 'shelf';
  }

  @Mutation(() => StorePayload)
  @SignedIn()
  store() {
    return { secret: secret(), isStored: true };
  }
}

const TENANT = '01990000-0000-7000-8000-000000000a01';
const machinery = { name: 'things', log: createLog({ LOG_LEVEL: 'silent' } as never, 'test') } as Machinery;

async function ask(query: string, over: Partial<Envelope>) {
  const subgraph = await defineSubgraph({ name: 'things', resolvers: [Things], entities: [] });
  const envelope: Envelope = {
    ...{ ...anonymousEnvelope(), caller: { kind: 'USER', id: TENANT }, tenantId: TENANT, licenseVersion: 3, ...over },
  };
  return runSubgraph(subgraph, machinery, () => envelope).execute(JSON.stringify({ query }), 'signed');
}

const WAYS = [
  '{ things { id name ... on Secret { word } } }',
  '{ either { ... on Secret { id name word } ... on Plain { name } } }',
  'mutation { store { isStored secret { id word } } }',
];

describe('A gated type', () => {
  test.each(WAYS)('tells nothing through an interface, a union or a payload: %s', async (query) => {
    const { data, errors } = await ask(query, {});
    expect(JSON.stringify(data)).not.toContain('hidden');
    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'FEATURE_NOT_LICENSED',
      feature: 'crm',
      reason: 'NOT_IN_PLAN',
    });
    expect(errors?.[0]?.extensions?.coordinate).toMatch(/^(Secret\.(id|name)|StorePayload\.secret)$/);
    const licensed = await ask(query, { features: { crm: { access: 'FULL' } } });
    expect(licensed.errors).toBeUndefined();
    expect(JSON.stringify(licensed.data)).toContain('hidden word');
  });

  test.each(WAYS)('is let pass by a gate that only observes, which says what it was asked: %s', async (query) => {
    const { data, errors, extensions } = await ask(query, { observed: 'FULL' });
    expect(errors).toBeUndefined();
    expect(JSON.stringify(data)).toContain('hidden word');
    expect(extensions?.reply).toMatchObject({
      observed: { crm: expect.stringMatching(/^(Secret\.id|StorePayload\.secret)$/) },
    });
  });

  test.each([
    'OVERRIDE_OFF',
    'GRANT_ENDED',
    'DOWNGRADED',
    'PARENT_OFF',
    'SUSPENDED',
  ] as const)('is refused for %s, whether gates observe or not', async (reason) => {
    const { data, errors } = await ask(WAYS[0] as string, {
      observed: 'FULL',
      features: { crm: { access: 'NONE', reason } },
    });
    expect(JSON.stringify(data)).not.toContain('hidden');
    expect(errors?.[0]?.extensions).toMatchObject({ reason });
  });

  test('of a tenant without a licence is refused: there is no plan it could be missing from', async () => {
    const { errors } = await ask(WAYS[0] as string, { observed: 'FULL', licenseVersion: 0 });
    expect(errors?.[0]?.extensions).toMatchObject({ reason: 'NO_LICENSE' });
  });

  test('answers of ungated fields say nothing of observing', async () => {
    expect((await ask('{ shelf }', { observed: 'FULL' })).extensions).toBeUndefined();
  });
});

test.each<[FeatureAccess | undefined, FeatureAccess | undefined, boolean, boolean]>([
  ['FULL', undefined, true, true],
  ['READ', undefined, true, false],
  ['NONE', undefined, false, false],
  [undefined, undefined, false, false],
  [undefined, 'FULL', true, true],
  [undefined, 'READ', true, false],
])('access %s while observing %s lets read %s and write %s', (access, observed, reads, writes) => {
  const features = access ? { crm: { access } } : {};
  const envelope = {
    ...anonymousEnvelope(),
    tenantId: TENANT,
    licenseVersion: 3,
    features,
    ...(observed ? { observed } : {}),
  };
  const ctx = new Context(envelope, machinery);
  expect([mayUse(ctx, 'crm', false), mayUse(ctx, 'crm', true)]).toEqual([reads, writes]);
});
