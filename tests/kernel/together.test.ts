import type { PoolClient } from 'pg';
import { guard, unbar, withTheNext } from '../../subgraphs/_kernel/transaction.ts';

/** A connection that keeps what was sent on it, and answers each statement by its own name. */
function connection() {
  const sent: string[] = [];
  const client = {
    async query(text: string) {
      sent.push(text);
      if (text.includes('broken')) throw new Error('a statement failed');
      const answers = text
        .split(';\n')
        .map((statement) => ({ command: statement, rowCount: 1, rows: [{ statement }] }));
      return answers.length === 1 ? answers[0] : answers;
    },
  } as unknown as PoolClient;
  guard(client);
  return { client, sent };
}

describe('Statements that are sent together', () => {
  test('the beginning goes with the first, and the last with the commit; each is answered its own', async () => {
    const { client, sent } = connection();
    await client.query('start transaction read only', []);
    expect(sent).toEqual([]);
    expect((await client.query('select 1', [])).rows).toEqual([{ statement: 'select 1' }]);
    expect((await client.query('select 2')).rows).toEqual([{ statement: 'select 2' }]);
    await withTheNext(() => client.query('select 3', []));
    await client.query('commit', []);
    await client.query('select 4');
    expect(sent).toEqual(['start transaction read only;\nselect 1', 'select 2', 'select 3;\ncommit', 'select 4']);
  });

  test('a transaction in which nothing was asked is never begun', async () => {
    const { client, sent } = connection();
    for (const end of ['commit', 'rollback']) {
      await client.query('begin', []);
      await client.query(end, []);
    }
    expect(sent).toEqual([]);
  });

  test('one that is rolled back leaves out what waited for its commit', async () => {
    const { client, sent } = connection();
    await client.query('begin', []);
    await client.query('select 1', []);
    await withTheNext(() => client.query('select 2', []));
    await client.query('rollback', []);
    await client.query('begin', []);
    await withTheNext(() => client.query('select 3', []));
    await client.query('rollback', []);
    await client.query('select 4', []);
    expect(sent).toEqual(['begin;\nselect 1', 'rollback', 'select 4']);
  });

  test('whoever writes nothing else commits what waited', async () => {
    const { client, sent } = connection();
    await client.query('begin', []);
    await withTheNext(() => client.query('select 1', []));
    await client.query('commit', []);
    expect(sent).toEqual(['begin;\nselect 1;\ncommit']);
  });

  test('a statement with values of its own comes behind, and fails as it would alone', async () => {
    const { client, sent } = connection();
    await client.query('begin', []);
    await client.query('select $1', [1]);
    await withTheNext(() => client.query('broken', []));
    await expect(client.query('commit', [])).rejects.toThrow('a statement failed');
    await client.query('rollback', []);
    expect(sent).toEqual(['begin', 'select $1', 'broken;\ncommit', 'rollback']);
  });

  test('nothing waits on a connection that was given back', async () => {
    const { client, sent } = connection();
    await client.query('begin', []);
    unbar(client);
    await client.query('select 1', []);
    expect(sent).toEqual(['select 1']);
  });
});
