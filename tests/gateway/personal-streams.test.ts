import 'reflect-metadata';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { Ctx, Field, FieldResolver, Int, ObjectType, Query, Resolver, Root, Subscription } from 'type-graphql';
import { localSubgraph } from '../../gateway/data-sources.ts';
import { sourcesOpen } from '../../gateway/metrics.ts';
import { type Gateway, startGateway } from '../../gateway/start.ts';
import { SignedIn } from '../../schema/directives.ts';
import type { Context } from '../../subgraphs/_kernel/context.ts';
import { emit, logHead } from '../../subgraphs/_kernel/events.ts';
import { follow } from '../../subgraphs/_kernel/live.ts';
import { createVerifier } from '../../subgraphs/_kernel/signed-context.ts';
import { defineSubgraph, type RunningSubgraph, runSubgraph } from '../../subgraphs/_kernel/subgraph.ts';
import { createLog } from '../../subgraphs/_kernel/telemetry.ts';
import { SUBGRAPHS } from '../../subgraphs/index.ts';
import { until } from '../kernel/by-hand.ts';
import { GatewayClient, type Person } from '../setup/gateway.ts';
import { DOORS, type Followed, followOver } from '../setup/streams.ts';
import { openWorld, type World } from '../setup/world.ts';

@ObjectType()
class Note {
  @Field(() => Int) number!: number;
}

/** A domain whose field looks at who asks now and then: at notes with an even number. */
@Resolver(() => Note)
class NoteResolver {
  @Query(() => String)
  @SignedIn()
  myName(@Ctx() ctx: Context) {
    return String(ctx.envelope.caller.id);
  }

  @Query(() => String)
  @SignedIn()
  ourName(@Ctx() ctx: Context) {
    return `${ctx.tenantId} ${ctx.envelope.caller.kind}`;
  }

  @Subscription(() => Note, { subscribe: ({ context }) => notes(context as Context) as never })
  @SignedIn()
  noted(@Root() note: Note): Note {
    return note;
  }

  @FieldResolver(() => String)
  to(@Root() { number }: Note, @Ctx() ctx: Context) {
    return number % 2 === 0 ? String(ctx.actorId) : 'everybody';
  }
}

function notes(ctx: Context) {
  return follow<Note>(
    ctx,
    async (reader) => ({ upTo: await logHead(await reader.em()), first: [{ number: 1 }] }),
    (events) =>
      events.flatMap(({ name, payload }) =>
        name === 'tenancy.tenant.updated' ? [{ number: (payload as { version: number }).version }] : [],
      ),
  );
}

const dir = mkdtempSync(join(tmpdir(), 'dotmac-personal-'));
let world: World;
let notebook: RunningSubgraph;
let gateway: Gateway;
let people: Person[];
const opened: Followed[] = [];

beforeAll(async () => {
  const made = await defineSubgraph({ name: 'notebook', resolvers: [NoteResolver], entities: [] });
  const others = await Promise.all(SUBGRAPHS.map(defineSubgraph));
  const { supergraphSdl, errors } = composeServices(
    [...others, made].map(({ name, sdl }) => ({ name, typeDefs: parse(sdl), url: `http://${name}.invalid` })),
  );
  expect(errors).toBeUndefined();
  const file = join(dir, 'supergraph.graphql');
  writeFileSync(file, String(supergraphSdl));
  world = await openWorld({ SUPERGRAPH_FILE: file });
  const verify = createVerifier(world.config.ENVELOPE_PUBLIC_KEYS);
  notebook = runSubgraph(made, { ...world.subgraph('tenancy').machinery, name: 'notebook' }, verify);
  const sources = new Map([...world.serving.subgraphs, notebook].map((one) => [one.name, localSubgraph(one)]));
  gateway = await startGateway(world.config, sources, world.serving.fanOut, createLog(world.config, 'gateway'));
  const client = new GatewayClient(gateway.port);
  people = await Promise.all(
    ['samira', 'piet', 'lotte'].map((name) =>
      client.signIn(`${name}@northwind.example`, String(world.config.SEED_PASSWORD)),
    ),
  );
}, 60_000);
afterEach(() => {
  for (const stream of opened.splice(0)) stream.stop();
});
afterAll(async () => {
  await gateway?.stop();
  await world?.close();
  rmSync(dir, { recursive: true });
});

const sources = async () => (await sourcesOpen.get()).values.reduce((sum, { value }) => sum + value, 0);
const write = async (...numbers: number[]) => {
  const ctx = await world.system('northwind', 'tenancy');
  for (const version of numbers)
    await ctx.tx(async (em) => {
      emit(em, 'tenancy.tenant.updated', { version });
    });
};
const idOf = ({ token }: Person) => JSON.parse(Buffer.from(String(token.split('.')[1]), 'base64url').toString()).sub;

test('a subgraph says of an answer whether it looked at who asked', async () => {
  const tenantId = '01990000-0000-7000-8000-000000000a02';
  const ask = async (query: string) => {
    const [body, token] = world.signed({ tenantId, caller: { kind: 'USER', id: 'x' } }, 'notebook', query);
    return (await notebook.execute(body, token)).extensions;
  };
  expect(await ask('{ ourName }')).toBeUndefined();
  expect(await ask('{ myName }')).toEqual({ reply: { isPersonal: true } });
});

test('an event whose answer hangs on who asks is told to each reader for themselves, in its place and once', async () => {
  const url = `http://127.0.0.1:${gateway.port}/graphql`;
  const streams = await Promise.all(
    people.map(async ({ token }, i) => {
      const stream = await followOver(DOORS[i] as (typeof DOORS)[number], {
        url,
        token,
        query: 'subscription { noted { number to } }',
      });
      opened.push(stream);
      return stream;
    }),
  );
  const told = async (number: number) => {
    for (const [i, stream] of streams.entries())
      expect((await stream.next()).data).toEqual({
        noted: { number, to: number % 2 === 0 ? idOf(people[i] as Person) : 'everybody' },
      });
  };
  await told(1);
  await until('they share a source', async () => (await sources()) === 1);
  await write(3);
  await told(3);
  expect(await sources()).toBe(1);
  await write(4, 5, 6, 7);
  for (const number of [4, 5, 6, 7]) await told(number);
  expect(await sources()).toBe(3);
});
