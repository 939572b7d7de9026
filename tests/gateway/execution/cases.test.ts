import { abstractCases } from './cases/abstract.ts';
import { entityCases } from './cases/entities.ts';
import { faultCases } from './cases/faults.ts';
import { inputCases } from './cases/inputs.ts';
import { requiresCases } from './cases/requires.ts';
import { answer, federate } from './federation.ts';
import { faultsOf } from './oracle.ts';
import { worldOfStory } from './story.ts';

const cases = [...entityCases, ...abstractCases, ...requiresCases, ...inputCases, ...faultCases];

test.each(cases)('$name', async (told) => {
  const world = worldOfStory(told);
  const federation = federate(world);
  for (const asked of told.requests) {
    const request = typeof asked === 'string' ? { query: asked } : asked;
    const ours = await answer(federation, request);
    expect({
      request,
      faults: [
        ...federation.violations.splice(0),
        ...(await faultsOf(ours, world, federation.supergraph.schema, request)),
      ],
    }).toEqual({ request, faults: [] });
  }
});
