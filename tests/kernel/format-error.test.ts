import fc from 'fast-check';
import { GraphQLError, locatedError } from 'graphql';
import { badInput, ClientError, ERROR_CODES, Refusal } from '../../schema/errors.ts';
import { formatError } from '../../subgraphs/_kernel/format-error.ts';
import { createLog, type Logger } from '../../subgraphs/_kernel/telemetry.ts';
import { NGOZI, openWorld, type World, WREN } from '../setup/world.ts';
import { withClient } from './by-hand.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const quiet = createLog({ LOG_LEVEL: 'silent' }, 'test');

/** What a client sees when a resolver throws this. */
const shown = (error: unknown, log: Logger = quiet) => formatError(locatedError(error, [], ['tenant', 'name']), log);

/** A log whose lines the test may read, made as the product makes its own. */
function openLog(): { log: Logger; lines: () => Record<string, unknown>[] } {
  const text: string[] = [];
  const log = createLog({ LOG_LEVEL: 'info' }, 'test', { write: (line: string) => text.push(line) });
  return { log, lines: () => text.map((line) => JSON.parse(line)) };
}

/** Every way PostgreSQL, the network and a bug of ours can fail; each tells something nobody outside should read. */
async function failures(): Promise<Record<string, Error & { code?: string }>> {
  const ask = (sql: string) =>
    withClient(world.databaseUrl, (client) => client.query(sql)).then(
      () => new Error('it did not fail'),
      (error) => error,
    );
  const elsewhere = (url: string) =>
    withClient(url, (client) => client.query('select 1')).then(
      () => new Error('it did not fail'),
      (error) => error,
    );
  const ctx = await world.context(WREN, 'tenancy');
  return {
    'a column that is not there': await ask('select secret_column from tenancy.tenant'),
    'a key that exists': await ask('insert into tenancy.tenant select * from tenancy.tenant'),
    'a check that fails': await ask(`update tenancy.tenant set name = 'x'`),
    'a text that is no id': await ask(`select * from tenancy.tenant where id = 'x'`),
    'a table of another domain': await ctx
      .tx((em) => em.execute('select * from kernel.migration'))
      .catch((error) => error),
    'no tenant': await ask('select kernel.tenant_id()'),
    'a database that is gone': await elsewhere('postgres://svc_tenancy:hunter2@127.0.0.1:1/dotmac'),
    'a host that is not there': await elsewhere('postgres://svc_tenancy:hunter2@db.internal.invalid/dotmac'),
    'a password that is wrong': await elsewhere(world.databaseUrl.replace(/:[^:@]+@/, ':hunter2@')),
    'a file that is not there': await import('node:fs/promises')
      .then((fs) => fs.readFile('/etc/dotmac/license.key'))
      .catch((error) => error),
    'a bug': (() => {
      try {
        return (undefined as never as { rows: Error[] }).rows[0] as Error;
      } catch (error) {
        return error as Error;
      }
    })(),
    'a thrown text': 'select * from billing.customer' as never,
    'a bug wrapped in a bug': new Error('query failed at /srv/dotmac/db.ts:12', { cause: new Error('select 1') }),
    'GraphQL thrown by our own code': new GraphQLError('select * from billing.customer'),
    'an INTERNAL of somebody': new GraphQLError('connect ECONNREFUSED 10.0.0.7:5432', {
      extensions: { code: 'INTERNAL', stacktrace: ['at db.ts:1'] },
    }),
    'a code that is not ours': new GraphQLError('10.0.0.7 said no', {
      extensions: { code: 'DOWNSTREAM_SERVICE_ERROR', host: '10.0.0.7' },
    }),
  };
}

const TELLTALE =
  /select|insert|tenancy\.|kernel\.|billing\.|column|constraint|relation|hunter2|127\.0\.0\.1|10\.0\.0|invalid|5432|\/srv|\/etc|\.ts|\bat \b|undefined|ECONN|ENOTFOUND|ENOENT|svc_|dotmac/i;

describe('an error that was not meant for the client', () => {
  test('tells no SQL, stack, host, path or password, whatever failed', async () => {
    for (const [name, error] of Object.entries(await failures())) {
      const seen = shown(error);
      expect(Object.keys(seen).sort()).toEqual(['extensions', 'message', 'path']);
      expect([name, JSON.stringify(seen)]).toEqual([name, expect.not.stringMatching(TELLTALE)]);
      expect(ERROR_CODES).toContain(seen.extensions?.code);
      expect(Object.keys(seen.extensions ?? {}).filter((key) => key !== 'code' && key !== 'errorId')).toEqual([]);
    }
  });

  test('tells nothing of any text and any foreign code', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 12 }), fc.string(), (message, code) => {
        const seen = shown(Object.assign(new Error(`#${message}`), { code, detail: message, query: message }));
        expect(JSON.stringify(seen)).not.toContain(JSON.stringify(message).slice(1, -1));
      }),
    );
  });

  test('is logged under the id the client is given, with its stack and the field it broke', () => {
    const { log, lines } = openLog();
    const seen = shown(new Error('the figures do not add up'), log);
    expect(seen).toEqual({
      message: 'Something went wrong on our side.',
      path: ['tenant', 'name'],
      extensions: { code: 'INTERNAL', errorId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    });
    expect(lines()).toEqual([
      expect.objectContaining({
        errorId: seen.extensions?.errorId,
        path: ['tenant', 'name'],
        err: expect.objectContaining({
          message: 'the figures do not add up',
          stack: expect.stringContaining('format-error.test.ts'),
        }),
      }),
    ]);
  });

  test("is logged without the values PostgreSQL repeats: a person's data reaches no log", async () => {
    const ctx = await world.context(WREN, 'tenancy');
    const refused = ctx.tx((em) => em.execute('select ?::jsonb', ['{"mail": "ada@example.com" oops']));
    const error = await refused.catch((thrown: Error & { where?: string }) => thrown);
    expect(error).toMatchObject({ where: expect.stringContaining('ada@example.com') });
    const { log, lines } = openLog();
    shown(error, log);
    expect(JSON.stringify(lines())).toContain('invalid input syntax for type json');
    expect(JSON.stringify(lines())).not.toContain('ada@example.com');
  });

  test('never comes with the row of a tenant: PostgreSQL keeps it back behind the wall', async () => {
    const ctx = await world.context(WREN, 'tenancy');
    const refused = ctx.tx((em) =>
      em.execute(`update tenancy.tenant set contact_email = 'ada@example.com', name = 'x'`),
    );
    const error = await refused.catch((thrown: object) => thrown);
    expect(JSON.stringify({ ...(error as object), ...Object.getOwnPropertyDescriptors(error) })).not.toContain(
      'ada@example.com',
    );
  });
});

describe('what the machinery could not do is told apart from a bug', () => {
  test.each<[string, object, string]>([
    ['a statement given up', { code: '57014' }, 'SUBGRAPH_TIMEOUT'],
    ['a lock waited for too long', { code: '55P03' }, 'OVERLOADED'],
    ['a deadlock', { code: '40P01' }, 'OVERLOADED'],
    ['a restart of the database', { code: '57P01' }, 'SUBGRAPH_UNAVAILABLE'],
    ['a database out of reach', { code: 'ECONNREFUSED' }, 'SUBGRAPH_UNAVAILABLE'],
    [
      'a database out of reach, told by what caused it',
      { cause: Object.assign(new Error(), { code: 'ECONNRESET' }) },
      'SUBGRAPH_UNAVAILABLE',
    ],
    [
      'a connection that was cut',
      { message: 'Client has encountered a connection error and is not queryable' },
      'SUBGRAPH_UNAVAILABLE',
    ],
    ['a database with no room for us', { code: '53300' }, 'OVERLOADED'],
    ['anything else', { code: '23505' }, 'INTERNAL'],
  ])('%s', (_name, facts, code) => {
    expect(shown(Object.assign(new Error('secret'), facts)).extensions?.code).toBe(code);
  });
});

describe('an error that was meant for the client', () => {
  test('arrives with its sentence, its code and its facts', () => {
    const facts = { key: 'devices', limit: '100', used: '100' };
    expect(shown(new ClientError('QUOTA_EXCEEDED', 'The plan allows 100 devices and 100 are in use.', facts))).toEqual({
      message: 'The plan allows 100 devices and 100 are in use.',
      path: ['tenant', 'name'],
      extensions: { code: 'QUOTA_EXCEEDED', ...facts },
    });
  });

  test('is a sentence when a query is refused by the domain', () => {
    expect(shown(new Refusal('INVALID', 'A zone is an IANA name.', 'zone'))).toMatchObject({
      message: 'A zone is an IANA name.',
      extensions: { code: 'BAD_USER_INPUT', refusal: 'INVALID', field: 'zone' },
    });
  });

  test('is no line in the log', () => {
    const { log, lines } = openLog();
    shown(badInput('A page has 1 to 100 entries.'), log);
    expect(lines()).toEqual([]);
  });
});

describe('a request that cannot be answered', () => {
  /** What a client sees of a document and its variables. */
  async function answer(query: string, variables: Record<string, unknown> = {}) {
    const { errors = [] } = await world.ask(NGOZI, 'tenancy', query, variables);
    return errors.map(({ message, extensions }) => ({ message, code: extensions?.code }));
  }

  test.each<[string, string, Record<string, unknown>]>([
    ['a document that is none', '{ tenant { ', {}],
    ['a field that is not there', '{ tenant { nmae } }', {}],
    ['a literal of another type', '{ tenants(first: "ten") { nodes { id } } }', {}],
    ['a variable of another type', 'query($n: Int!) { tenants(first: $n) { nodes { id } } }', { n: 'ten' }],
    ['a variable that is missing', 'query($n: Int!) { tenants(first: $n) { nodes { id } } }', {}],
    ['nothing for what has to be', 'query($n: Int = 5) { tenants(first: $n) { nodes { id } } }', { n: null }],
    [
      'a word no enum has',
      'mutation($r: SuspensionReason!) { suspendTenant(input: { tenantId: "x", reason: $r }) { tenant { id } } }',
      { r: 'ABUSED' },
    ],
    [
      'a field no input has',
      'mutation($i: TenantInput!) { reactivateTenant(input: $i) { tenant { id } } }',
      { i: { tenantId: 'x', tenantID: 'y' } },
    ],
    ['a page over the cap', '{ tenants(first: 101) { nodes { id } } }', {}],
    ['a cursor that is not ours', '{ tenants(after: "zzz") { nodes { id } } }', {}],
    ['an operation nobody named', 'query A { __typename } query B { __typename }', {}],
  ])('%s is BAD_USER_INPUT, with a sentence and no guess at what was meant', async (_name, query, variables) => {
    const errors = await answer(query, variables);
    expect(errors).toEqual([{ message: expect.not.stringMatching(/did you mean/i), code: 'BAD_USER_INPUT' }]);
  });
});
