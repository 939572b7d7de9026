import type { FetchNode } from '@apollo/query-planner';
import * as fc from 'fast-check';
import { ClientError } from '../../../schema/errors.ts';
import { worldOf } from './facts.ts';
import { type Answer, answer, type Data, type Federation, federate } from './federation.ts';
import { type Field, type Model, modelOf, modelRecipe } from './model.ts';
import { faultsOf, type IsAway } from './oracle.ts';
import { type RequestRecipe, requestOf, requestRecipe } from './queries.ts';

const QUERIES_PER_SCHEMA = 10;
const isNightly = process.env.NIGHTLY === '1';
const queries = isNightly ? 10_000 : 500;

/** Set SEED to run what a failure tells again. */
const seed = Number(process.env.SEED ?? (isNightly ? Date.now() : 7));

test('A query over many subgraphs is answered as if there were only one graph', async () => {
  const requests = fc.array(requestRecipe, { minLength: QUERIES_PER_SCHEMA, maxLength: QUERIES_PER_SCHEMA });
  const property = fc.asyncProperty(modelRecipe, requests, async (recipe, asked) => {
    const model = modelOf(recipe);
    const federation = federate(worldOf(model));
    for (const request of asked) await check(model, federation, request);
    await new Promise((resolve) => setImmediate(resolve)); // lets go of what planning held weakly
  });
  await fc.assert(property, { numRuns: queries / QUERIES_PER_SCHEMA, seed, endOnFailure: isNightly });
}, 3_600_000);

async function check(model: Model, federation: Federation, recipe: RequestRecipe): Promise<void> {
  const { world, supergraph, violations } = federation;
  const request = requestOf(supergraph.schema, recipe);
  const ask = async (fetch: FetchNode, variables: Data) => {
    if (fetch.serviceName === model.failing) throw new ClientError('SUBGRAPH_UNAVAILABLE', 'This subgraph is away.');
    return federation.ask(fetch, variables);
  };
  const ours = await answer({ world, supergraph, ask }, request).catch(unlessRefused);
  if (!ours) return;
  const faults = [...violations.splice(0), ...(await faultsOf(ours, world, supergraph.schema, request, awayIn(model)))];
  if (faults.length > 0)
    throw new Error(
      [
        ...faults,
        request.query,
        JSON.stringify(request.variables),
        ...world.subgraphs.map(({ name, sdl }) => `# ${name}\n${sdl}`),
      ].join('\n'),
    );
}

/** Fields of which the only subgraph is away. */
function awayIn({ roots, mutations, subscriptions, entities, failing }: Model): IsAway {
  return (type, name) => {
    const ofRoot: Record<string, readonly Field[]> = { Query: roots, Mutation: mutations, Subscription: subscriptions };
    const fields = ofRoot[type] ?? entities.find((entity) => entity.name === type)?.fields ?? [];
    return fields.find((field) => field.name === name)?.owners.every((owner) => owner === failing) ?? false;
  };
}

/** Refusing is not answering wrongly: operations over our limits, and some the planner gives up on or gets wrong. */
function unlessRefused(error: Error): Answer | undefined {
  if (
    error instanceof ClientError &&
    (error.code === 'OPERATION_LIMIT' || error.message.includes('cannot be worked out'))
  )
    return undefined;
  if (error.message.startsWith('We should have an edge from Medium(z) for __typename')) return undefined;
  throw error;
}
