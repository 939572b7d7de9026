import * as fc from 'fast-check';
import type { FetchNode } from '@apollo/query-planner';
import { ClientError } from '../../../schema/errors.ts';
import { worldOf } from './facts.ts';
import { answer, type Data, federate, type Federation } from './federation.ts';
import { type Model, modelOf, modelRecipe } from './model.ts';
import { faultsOf, type IsAway } from './oracle.ts';
import { queryRecipe, requestOf } from './queries.ts';

const QUERIES_PER_SCHEMA = 10;
const isNightly = process.env.NIGHTLY === '1';
const schemas = (isNightly ? 10_000 : 500) / QUERIES_PER_SCHEMA;

test(`a query over many subgraphs is answered as if there were only one graph`, async () => {
  await fc.assert(
    fc.asyncProperty(modelRecipe, fc.array(queryRecipe, { minLength: QUERIES_PER_SCHEMA, maxLength: QUERIES_PER_SCHEMA }), async (recipe, queries) => {
      const model = modelOf(recipe);
      const federation = federate(worldOf(model));
      for (const query of queries) await check(model, federation, query);
    }),
    { numRuns: schemas, seed: isNightly ? Date.now() : 7, endOnFailure: !isNightly && process.env.SHRINK !== '1' },
  );
}, 3_600_000);

async function check(model: Model, federation: Federation, recipe: Parameters<typeof requestOf>[1]): Promise<void> {
  const { world, supergraph } = federation;
  const request = requestOf(supergraph.schema, recipe);
  const ask = async (fetch: FetchNode, variables: Data) => {
    if (fetch.serviceName === model.failing) throw new ClientError('SUBGRAPH_UNAVAILABLE', 'away');
    return federation.ask(fetch, variables);
  };
  const isAway: IsAway = (type, field) => {
    const fields = [...(type === 'Query' ? model.roots : type === 'Mutation' ? model.mutations : (model.entities.find(({ name }) => name === type)?.fields ?? []))];
    return fields.find(({ name }) => name === field)?.owners.every((owner) => owner === model.failing) ?? false;
  };
  const ours = await answer({ world, supergraph, ask }, request);
  const faults = [...federation.violations.splice(0), ...(await faultsOf(ours, world, supergraph.schema, request, isAway))];
  if (faults.length > 0) throw new Error(`${faults.join('\n')}\n${request.query}\n${JSON.stringify(request.variables)}\nerrors ${JSON.stringify(ours.errors)}`);
}
