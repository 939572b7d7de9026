import { requiredOf } from './facts.ts';
import { type Entity, type Field, type KeyKind, type Model } from './model.ts';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@external", "@provides", "@requires", "@override", "@interfaceObject"])`;

const COMMON = `
enum Color { RED GREEN BLUE }
scalar JSON
input Filter { n: Int = 3, color: Color, deep: Filter, list: [Int!] }
type Ref @shareable { x: Int! y: String! }`;

const KEY_FIELDS: Record<KeyKind, string> = {
  id: 'id: ID!',
  code: 'code: Int!',
  'ns num': 'ns: String! num: Int!',
  'ref { x y }': 'ref: Ref!',
};

const typeOf = ({ wrap, named }: Field) => wrap.replace('*', named);
const head = (field: Field) =>
  `${field.name}${field.args.length > 0 ? `(${field.args.join(', ')})` : ''}: ${typeOf(field)}`;

/** The SDL of one subgraph of a model. */
export function sdlOf(model: Model, subgraph: string): string {
  const roots = model.roots.filter(({ owners }) => owners.includes(subgraph));
  const subscriptions = model.subscriptions.filter(({ owners }) => owners.includes(subgraph));
  const mutations = model.mutations.filter(({ owners }) => owners.includes(subgraph));
  const named = model.named(subgraph);
  const any = model.any(subgraph);
  const { medium } = model;
  const hasLabel = named.every((name) => model.entities.find((entity) => entity.name === name)?.home === subgraph);
  return [
    LINK,
    COMMON,
    ...model.values.map(({ name, fields }) => `type ${name} @shareable { ${fields.map(head).join(' ')} }`),
    ...model.entities.map((entity) => entityIn(model, entity, subgraph)),
    named.length > 0 ? `interface Named { id: ID! ${hasLabel ? 'label: String' : ''} }` : '',
    any.length > 0 ? `union Any = ${any.join(' | ')}` : '',
    medium?.home === subgraph ? 'interface Medium @key(fields: "id") { id: ID! label: String }' : '',
    medium?.objectIn === subgraph
      ? `type Medium @interfaceObject @key(fields: "id") { id: ID! ${medium.fields.map(head).join(' ')} }`
      : '',
    roots.length > 0 ? `type Query { ${roots.map((field) => written(model, field)).join(' ')} }` : '',
    subscriptions.length > 0 ? `type Subscription { ${subscriptions.map(head).join(' ')} }` : '',
    mutations.length > 0
      ? `type Mutation { ${mutations.map((field) => `${head(field).slice(0, head(field).indexOf(':', field.args.length > 0 ? head(field).indexOf(')') : 0))}: Step${field.name}`).join(' ')} }`
      : '',
    ...mutations.map((field) => `type Step${field.name} { step: Int! result: ${typeOf(field)} }`),
  ].join('\n');
}

function written(model: Model, field: Field): string {
  return [
    head(field),
    field.owners.length > 1 ? '@shareable' : '',
    field.overrides ? `@override(from: "${field.overrides}")` : '',
    field.provides ? `@provides(fields: "${field.provides}")` : '',
    field.requires ? `@requires(fields: "${fieldSet(model, field)}")` : '',
  ].join(' ');
}

/** The required field set in full: a value's fields below it. */
function fieldSet(model: Model, field: Field): string {
  const entity = model.entities.find(({ fields }) => fields.includes(field));
  return (field.requires as string)
    .split(' ')
    .map((name) => {
      const value = model.values.find(
        (known) => known.name === entity?.fields.find((other) => other.name === name)?.named,
      );
      return value ? `${name} { ${requiredOf(value.fields).join(' ')} }` : name;
    })
    .join(' ');
}

function entityIn(model: Model, entity: Entity, subgraph: string): string {
  const known = entity.keys.get(subgraph);
  if (!known) return '';
  const required = entity.fields
    .filter(({ owners }) => owners.includes(subgraph))
    .flatMap(({ requires }) => requires?.split(' ') ?? []);
  const provided = [...model.roots, ...model.entities.flatMap(({ fields }) => fields)]
    .filter((field) => field.named === entity.name && field.owners.includes(subgraph))
    .flatMap(({ provides }) => provides ?? []);
  const external = new Set([...required, ...provided]);
  const isOffered = (field: Field) =>
    [...model.roots, ...model.entities.flatMap(({ fields }) => fields)].some(
      (other) => other.named === entity.name && other.provides === field.name,
    );
  const fields = entity.fields.flatMap((field) => {
    if (field.owners.includes(subgraph))
      return [`${written(model, field)} ${isOffered(field) && field.owners.length === 1 ? '@shareable' : ''}`];
    if (field.overrides === subgraph) return [head(field)];
    return external.has(field.name) ? [`${head(field)} @external`] : [];
  });
  const keyFields = new Set(known.kinds);
  const plain = entity.home === subgraph && !keyFields.has('id') ? ['id: ID!'] : [];
  const keys = known.kinds.map((kind) => `@key(fields: "${kind}"${known.isStub ? ', resolvable: false' : ''})`);
  const { medium } = model;
  const interfaces = [
    model.named(subgraph).includes(entity.name) ? 'Named' : '',
    medium?.home === subgraph && medium.members.includes(entity.name) ? 'Medium' : '',
  ].filter(Boolean);
  return `type ${entity.name} ${interfaces.length > 0 ? `implements ${interfaces.join(' & ')}` : ''} ${keys.join(' ')} { ${[...plain, ...known.kinds.map((kind) => KEY_FIELDS[kind]), ...fields].join(' ')} }`;
}
