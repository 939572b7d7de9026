import type { Data, Thing, World } from './federation.ts';
import { type Entity, type Field, type KeyKind, type Model, SCALARS, type Wrap } from './model.ts';
import { readFieldSet } from './ownership.ts';
import { sdlOf } from './sdl.ts';

/** How many entities of a type there are. Few, so that the same one turns up at many places. */
const COUNT = 4;

/** A number that looks drawn but always comes out the same for a text (FNV-1a). */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d);
  return (value ^ (value >>> 13)) >>> 0;
}

const STRINGS = ['', 'plain', 'ünï 😀', '__proto__', 'a "quoted" \\ one', 'line\nbreak', 'null', 'E0'];
const DOCUMENTS: readonly unknown[] = [
  { a: 1, id: 'x' },
  [1, { b: null }],
  'text',
  0,
  false,
  JSON.parse('{"__proto__": {"x": 1}, "constructor": 2, "__typename": "E0"}'),
  [[]],
  {},
];

/** The facts behind a generated model: every value is worked out from the seed and the place it stands at. */
export function worldOf(model: Model): World {
  const draw = (...parts: unknown[]) => hash([model.seed, ...parts].join('|'));
  const entityNamed = (name: string) => model.entities.find((entity) => entity.name === name) as Entity;
  const members = model.medium?.members ?? [];
  let steps = 0;

  const entityThing = (entity: Entity, k: number): Thing => {
    const slot = members.indexOf(entity.name);
    const n = slot < 0 ? k % COUNT : slot + members.length * (k % COUNT);
    const identity = `${slot < 0 ? entity.name : 'Medium'}-${n}`;
    const keys: Data = {
      id: identity,
      code: entity.index * 1_000 + n,
      ns: `ns${n % 2}`,
      num: n >> 1,
      ref: thing('Ref', (name) => (name === 'x' ? n : `y${n}`)),
    };
    return thing(entity.name, (name, args, input) => {
      if (Object.hasOwn(keys, name)) return keys[name];
      const own = entity.fields.find((field) => field.name === name);
      if (own)
        return lacks(model, entity, n) && own.owners[0] === entity.missingIn ? null : value(own, identity, args, input);
      const added = model.medium?.fields.find((field) => field.name === name) as Field;
      return value(added, `Medium-${n}`, args, input);
    });
  };
  const thing = (type: string, read: Thing['read']): Thing => ({ type, read });
  const valueThing = (type: string, identity: string): Thing =>
    thing(type, (name, args, input) => {
      const field = model.values
        .find((value) => value.name === type)
        ?.fields.find((field) => field.name === name) as Field;
      return value(field, identity, args, input);
    });

  const namedValue = (type: string, owner: string, drawn: number, identity: string): unknown => {
    if (type === 'Named' || type === 'Any' || type === 'Medium') {
      const among = type === 'Named' ? model.named(owner) : type === 'Any' ? model.any(owner) : members;
      return namedValue(among[drawn % among.length] as string, owner, drawn >>> 3, identity);
    }
    if (type.startsWith('E')) return entityThing(entityNamed(type), drawn);
    return type.startsWith('V') ? valueThing(type, identity) : leaf(type, drawn);
  };

  const value = (field: Field, identity: string, args: Data, input: (name: string) => unknown): unknown => {
    const given = field.args.length > 0 ? JSON.stringify(sorted({ ...defaultsOf(field), ...args })) : '';
    const inputs = field.requires
      ? JSON.stringify(
          project(
            Object.fromEntries([...readFieldSet(field.requires).keys()].map((name) => [name, input(name)])),
            model,
          ),
        )
      : '';
    const place = `${identity}.${field.name}${given}${inputs}`;
    const wrapped = (wrap: Wrap | string, here: string): unknown => {
      const isNonNull = wrap.endsWith('!');
      const drawn = draw(here);
      if (field.isFaulty && drawn % 100 < model.throwsPercent) return new Error(`thrown at ${here}`);
      const isNull = (drawn >>> 8) % 100 < model.nullsPercent;
      if (isNull && (!isNonNull || (field.isFaulty && (drawn >>> 16) % 4 === 0))) return null;
      const bare = isNonNull ? wrap.slice(0, -1) : wrap;
      if (!bare.startsWith('[')) return namedValue(field.named, field.owners[0] as string, draw(here, 'value'), here);
      return Array.from({ length: draw(here, 'length') % 4 }, (_, i) => wrapped(bare.slice(1, -1), `${here}[${i}]`));
    };
    return wrapped(field.wrap, place);
  };

  const root = (operation: 'query' | 'subscription'): Thing => ({
    type: operation === 'query' ? 'Query' : 'Subscription',
    read: (name, args, input) =>
      value(
        (operation === 'query' ? model.roots : model.subscriptions).find((field) => field.name === name) as Field,
        operation,
        args,
        input,
      ),
  });
  /** A mutation tells which of the request's steps it was, so that their order shows. */
  const mutation: Thing = {
    type: 'Mutation',
    read: (name, args) => {
      const step = ++steps;
      const result = { ...(model.mutations.find((field) => field.name === name) as Field), name: 'result', args: [] };
      const place = `${name}${JSON.stringify(sorted(args))}`;
      return {
        type: 'Step',
        read: (field: string, given: Data, input: (name: string) => unknown) =>
          field === 'step' ? step : value(result, place, given, input),
      };
    },
  };

  return {
    subgraphs: model.subgraphs.map((name) => ({ name, sdl: sdlOf(model, name) })),
    root: (operation) => (operation === 'mutation' ? mutation : root(operation)),
    restart: () => {
      steps = 0;
    },
    find(subgraph, representation) {
      const type = String(representation.__typename);
      const n = decode(representation);
      const isMedium = type === 'Medium';
      const entity = isMedium ? entityNamed(members[n % members.length] as string) : entityNamed(type);
      const found = entityThing(entity, members.includes(entity.name) ? Math.floor(n / members.length) : n);
      const kinds: readonly KeyKind[] = isMedium ? ['id'] : (entity.keys.get(subgraph)?.kinds ?? []);
      if (!kinds.some((kind) => [...readFieldSet(kind).keys()].every((name) => Object.hasOwn(representation, name))))
        throw new Error(`was given no key: ${JSON.stringify(representation)}`);
      for (const [name, given] of Object.entries(representation)) {
        if (!KEY_FIELDS.has(name)) continue;
        const truth = found.read(name, {}, () => undefined);
        const expected =
          name === 'ref'
            ? { x: (truth as Thing).read('x', {}, () => undefined), y: (truth as Thing).read('y', {}, () => undefined) }
            : truth;
        if (
          name === 'ref'
            ? Object.entries(given as Data).some(([part, is]) => (expected as Data)[part] !== is)
            : given !== expected
        )
          throw new Error(`was given a wrong key: ${JSON.stringify(representation)}`);
      }
      return entity.missingIn === subgraph && lacks(model, entity, n) ? null : found;
    },
  };
}

const KEY_FIELDS = new Set(['id', 'code', 'ns', 'num', 'ref']);

function decode({ id, code, ns, num, ref }: Data): number {
  if (typeof id === 'string') return Number(id.split('-')[1]);
  if (typeof code === 'number') return code % 1_000;
  if (typeof num === 'number') return num * 2 + Number(String(ns).slice(2));
  return Number((ref as Data | undefined)?.x);
}

const lacks = (model: Model, entity: Entity, n: number) =>
  entity.missingIn !== undefined && hash(`${model.seed}|missing|${entity.name}|${n}`) % 3 === 0;

const defaultsOf = ({ args }: Field): Data =>
  Object.fromEntries(
    args
      .filter((arg) => arg.includes('='))
      .map((arg) => [
        arg.split(':')[0] as string,
        arg.includes('Int') ? Number(arg.split('= ')[1]) : arg.split('= ')[1],
      ]),
  );

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

/** The plain data of what a `@requires` was given, whether as Things or as a representation brought it. */
function project(value: unknown, model: Model): unknown {
  if (Array.isArray(value)) return value.map((item) => project(item, model));
  if (typeof value !== 'object' || value === null) return value;
  const read = (value as Partial<Thing>).read;
  if (!read)
    return sorted(Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, project(inner, model)])));
  const fields = model.values.find(({ name }) => name === (value as Thing).type)?.fields ?? [];
  return sorted(
    Object.fromEntries(
      requiredOf(fields).map((name) => [
        name,
        project(
          read(name, {}, () => undefined),
          model,
        ),
      ]),
    ),
  );
}

/** The fields of a value type a `@requires` asks for. */
export const requiredOf = (fields: readonly Field[]): string[] =>
  fields.filter(({ isFaulty }) => !isFaulty).map(({ name }) => name);

function leaf(type: string, drawn: number): unknown {
  switch (type as (typeof SCALARS)[number]) {
    case 'Int':
      return (drawn % 200) - 100;
    case 'Float':
      return ((drawn % 2_000) - 1_000) / 8;
    case 'Boolean':
      return drawn % 2 === 0;
    case 'ID':
      return `id${drawn % 50}`;
    case 'Color':
      return ['RED', 'GREEN', 'BLUE'][drawn % 3];
    case 'JSON':
      return DOCUMENTS[drawn % DOCUMENTS.length];
    default:
      return STRINGS[drawn % STRINGS.length];
  }
}
