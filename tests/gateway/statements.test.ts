import { statements } from '../../bench/statements.ts';

test('a list of customers with its relations costs one statement a relation, however long it is', async () => {
  for (const { figure, bound, holds } of await statements())
    expect({ figure, bound, holds }).toMatchObject({ holds: true });
}, 60_000);
