import * as fc from 'fast-check';

/**
 * Generated federations. A recipe is a handful of small numbers, so that it shrinks to the simplest schema that still
 * shows a fault; `modelOf` reads any recipe as a model that composes.
 */
const number = fc.nat({ max: 9_999 });

const fieldRecipe = fc.record({
  kind: number,
  wrap: number,
  args: number,
  owner: number,
  twist: number,
  pick: number,
  isFaulty: fc.boolean(),
});
const entityRecipe = fc.record({
  home: number,
  members: number,
  keys: number,
  memberKeys: number,
  fields: fc.array(fieldRecipe, { minLength: 1, maxLength: 6 }),
  missing: number,
});

export const modelRecipe = fc.record({
  seed: number,
  subgraphs: fc.integer({ min: 2, max: 4 }),
  entities: fc.array(entityRecipe, { minLength: 1, maxLength: 4 }),
  values: fc.array(fc.array(fieldRecipe, { minLength: 1, maxLength: 3 }), { maxLength: 2 }),
  roots: fc.array(fieldRecipe, { minLength: 1, maxLength: 8 }),
  mutations: fc.array(fieldRecipe, { maxLength: 3 }),
  subscriptions: fc.array(fieldRecipe, { maxLength: 2 }),
  interfaceMembers: number,
  unionMembers: number,
  objectMembers: number,
  objectFields: fc.array(fieldRecipe, { minLength: 1, maxLength: 3 }),
  throwsPercent: fc.nat({ max: 12 }),
  nullsPercent: fc.nat({ max: 30 }),
  failing: fc.nat({ max: 9 }),
});

type FieldRecipe = {
  kind: number;
  wrap: number;
  args: number;
  owner: number;
  twist: number;
  pick: number;
  isFaulty: boolean;
};
export type ModelRecipe = typeof modelRecipe extends fc.Arbitrary<infer T> ? T : never;

/** Where the named type of a field stands in lists and what may be null, outermost first. */
export const WRAPS = ['*', '*!', '[*]', '[*!]', '[*]!', '[*!]!', '[[*]]', '[[*!]!]!'] as const;
export type Wrap = (typeof WRAPS)[number];

export const SCALARS = ['Int', 'String', 'Float', 'Boolean', 'ID', 'Color', 'JSON'] as const;

export interface Field {
  name: string;
  named: string;
  wrap: Wrap;
  args: readonly string[];
  /** The subgraphs that resolve it. */
  owners: readonly string[];
  /** Whether it may throw, or be null where it must not. */
  isFaulty: boolean;
  /** A subgraph from which it was taken over, and which must not be asked any more. */
  overrides?: string;
  /** A field set of the same type it is worked out from. */
  requires?: string;
  /** Fields of the entity it leads to that its owner can show at this place. */
  provides?: string;
}

export type KeyKind = 'id' | 'code' | 'ns num' | 'ref { x y }';
const KEY_KINDS: readonly KeyKind[] = ['id', 'code', 'ns num', 'ref { x y }'];

export interface Entity {
  name: string;
  index: number;
  home: string;
  /** The keys by which each subgraph knows it; those that only refer to it resolve none. */
  keys: ReadonlyMap<string, { kinds: readonly KeyKind[]; isStub: boolean }>;
  fields: readonly Field[];
  hasId: boolean;
  /** A subgraph that lacks some of its entities. */
  missingIn?: string;
}

export interface Model {
  seed: number;
  subgraphs: readonly string[];
  entities: readonly Entity[];
  values: readonly { name: string; fields: readonly Field[] }[];
  roots: readonly Field[];
  mutations: readonly Field[];
  subscriptions: readonly Field[];
  /** Members of interface `Named`, of union `Any` and of entity interface `Medium`, by name. */
  named: (subgraph: string) => readonly string[];
  any: (subgraph: string) => readonly string[];
  medium?: { members: readonly string[]; home: string; objectIn: string; fields: readonly Field[] };
  throwsPercent: number;
  nullsPercent: number;
  /** A subgraph that is away. */
  failing?: string;
}

const at = <T>(list: readonly T[], index: number): T => list[index % list.length] as T;
const picked = <T>(list: readonly T[], mask: number): T[] => list.filter((_, i) => mask & (1 << i));

export function modelOf(recipe: ModelRecipe): Model {
  const isPlain = recipe.failing > 6 && recipe.subgraphs > 1;
  const names = ['a', 'b', 'c', 'd'].slice(0, recipe.subgraphs);
  const entityNames = recipe.entities.map((_, i) => `E${i}`);
  const mediumMembers = isPlain || recipe.subgraphs < 2 ? [] : picked(entityNames, recipe.objectMembers);
  const mediumHome = at(names, recipe.objectMembers >> 4);
  const subgraphs = mediumMembers.length > 0 ? [...names, 'z'] : names;
  const shell = recipe.entities.map(
    (
      { home, members, keys, memberKeys, missing },
      index,
    ): Omit<Entity, 'fields'> & { members: readonly string[]; missing: number } => {
      const name = `E${index}`;
      const isMedium = mediumMembers.includes(name);
      const at0 = isMedium ? mediumHome : at(names, home);
      const kinds = isPlain || isMedium ? (['id'] as const) : picked(KEY_KINDS, keys % 16 || 1);
      const member = names.filter((other, i) => other === at0 || members & (1 << i));
      const byName = new Map<string, { kinds: readonly KeyKind[]; isStub: boolean }>();
      subgraphs.forEach((subgraph, i) => {
        if (subgraph === 'z' && isMedium) return;
        const isHome = subgraph === at0;
        const own = memberKeys & (1 << (i + 8)) ? kinds : [at(kinds, memberKeys >> i)];
        byName.set(subgraph, { kinds: isHome ? kinds : own, isStub: !member.includes(subgraph) });
      });
      return { name, index, home: at0, keys: byName, members: member, hasId: true, missing };
    },
  );
  const knows = (entity: string, subgraph: string) =>
    shell.find(({ name }) => name === entity)?.keys.has(subgraph) ?? false;
  const hasIdIn = (entity: string, subgraph: string) => {
    const found = shell.find(({ name }) => name === entity);
    return (
      found !== undefined && (found.home === subgraph || (found.keys.get(subgraph)?.kinds.includes('id') ?? false))
    );
  };
  const named = (subgraph: string) =>
    picked(entityNames, recipe.interfaceMembers).filter((name) => hasIdIn(name, subgraph));
  const valueNames = recipe.values.map((_, i) => `V${i}`);
  const everyAny = picked([...entityNames, ...valueNames], recipe.unionMembers);
  const any = (subgraph: string) => {
    const known = everyAny.filter((name) => name.startsWith('V') || knows(name, subgraph));
    const some = known.filter((_, i) => !((recipe.unionMembers >> 6) & (1 << ((i + subgraph.charCodeAt(0)) % 6))));
    return some.length > 0 ? some : known;
  };

  /** What a field leads to, among the types its owner knows. */
  const namedType = ({ kind, pick }: FieldRecipe, owner: string, isLeaf: boolean): string => {
    const leaf = at(SCALARS, kind);
    if (isLeaf) return leaf;
    switch ((kind >> 3) % 8) {
      case 0:
      case 1:
        return leaf;
      case 2:
        return valueNames.length > 0 ? at(valueNames, pick) : leaf;
      case 3:
        return any(owner).length > 0 ? 'Any' : leaf;
      case 4:
        return named(owner).length > 0 ? 'Named' : leaf;
      case 5:
        return mediumMembers.length > 0 && (owner === mediumHome || owner === 'z') ? 'Medium' : leaf;
      default: {
        const known = entityNames.filter((name) => knows(name, owner));
        return known.length > 0 ? at(known, pick) : leaf;
      }
    }
  };
  const argsOf = (args: number) => (args % 3 === 0 ? picked(ARGS, args >> 2) : []);
  const plainField = (recipe: FieldRecipe, name: string, owners: readonly string[], isLeaf = false): Field => ({
    name,
    named: namedType(recipe, owners[0] as string, isLeaf),
    wrap: at(WRAPS, recipe.wrap),
    args: argsOf(recipe.args),
    owners,
    isFaulty: recipe.isFaulty,
  });
  const isSharable = (type: string) => (SCALARS as readonly string[]).includes(type) || valueNames.includes(type);

  const entities = shell.map((entity, index): Entity => {
    const recipes = (recipe.entities[index] as { fields: FieldRecipe[] }).fields;
    const fields: Field[] = [];
    recipes.forEach((given, i) => {
      const owner = at(entity.members, given.owner);
      const field = plainField(given, `f${i}`, [owner]);
      const others = entity.members.filter((name) => name !== owner);
      if (!isPlain && others.length > 0) {
        const other = at(others, given.pick);
        if (given.twist % 6 === 1 && isSharable(field.named)) field.owners = [owner, other];
        else if (given.twist % 6 === 2 && isSharable(field.named)) field.overrides = other;
        else if (given.twist % 6 > 2) {
          const inputs = fields.filter(
            (input) =>
              input.owners.every((name) => name !== owner) && input.overrides !== owner && isSharable(input.named),
          );
          const chosen = inputs.length > 0 ? [at(inputs, given.pick), ...picked(inputs, given.pick >> 2)] : [];
          for (const input of chosen) input.isFaulty = false;
          if (chosen.length > 0) field.requires = [...new Set(chosen.map((input) => input.name))].join(' ');
        }
      }
      fields.push(field);
    });
    const label = plainField(
      { kind: 1, wrap: 0, args: 1, owner: 0, twist: 0, pick: 0, isFaulty: false },
      'label',
      [entity.home],
      true,
    );
    const required = new Set(fields.flatMap(({ requires }) => requires?.split(' ') ?? []));
    const lacking = entity.members.filter(
      (name) =>
        name !== entity.home &&
        fields.every(
          (field) => !field.owners.includes(name) || (field.owners.length === 1 && !required.has(field.name)),
        ),
    );
    const hasOneKey = [...entity.keys.values()].every(
      ({ kinds }) => kinds.length === 1 && kinds[0] === entity.keys.get(entity.home)?.kinds[0],
    );
    const missingIn =
      entity.missing % 3 === 1 && !isPlain && hasOneKey && lacking.length > 0
        ? at(lacking, entity.missing >> 2)
        : undefined;
    return {
      name: entity.name,
      index,
      home: entity.home,
      keys: entity.keys,
      hasId: true,
      fields: [label, ...fields],
      ...(missingIn ? { missingIn } : {}),
    };
  });

  const model: Model = {
    seed: recipe.seed,
    subgraphs,
    entities,
    values: recipe.values.map((fields, v) => ({
      name: `V${v}`,
      fields: fields.map((given, i) =>
        plainField({ ...given, isFaulty: given.isFaulty && i > 0 }, `v${i}`, subgraphs, true),
      ),
    })),
    roots: recipe.roots.map((given, i) => {
      const owner = at(subgraphs, given.owner);
      const field = plainField(
        {
          ...given,
          kind: given.kind % 7 === 0 ? given.kind : (given.kind % 7) + 8 * at([6, 6, 6, 4, 3, 5, 6, 2, 6], given.kind),
        },
        `q${i}`,
        [owner],
      );
      const other = at(subgraphs, given.pick);
      return !isPlain && given.twist % 5 === 1 && other !== owner && isSharable(field.named)
        ? { ...field, owners: [owner, other] }
        : field;
    }),
    subscriptions: recipe.subscriptions.map((given, i) =>
      plainField({ ...given, kind: given.kind % 64 }, `s${i}`, [at(subgraphs, given.owner)]),
    ),
    mutations: recipe.mutations.map((given, i) => ({
      ...plainField(given, `m${i}`, [at(subgraphs, given.owner)]),
      isFaulty: false,
    })),
    named,
    any,
    ...(mediumMembers.length > 0
      ? {
          medium: {
            members: mediumMembers,
            home: mediumHome,
            objectIn: 'z',
            fields: recipe.objectFields.map((given, i) => mildly(plainField(given, `z${i}`, ['z']))),
          },
        }
      : {}),
    throwsPercent: recipe.throwsPercent,
    nullsPercent: recipe.nullsPercent,
    ...(isPlain ? { failing: at(names, recipe.failing) } : {}),
  };
  return isPlain ? model : withProvides(model, recipe);
}

/** The planner asks such a field of objects that need not have it, so it must not cost them their others. */
const mildly = (field: Field): Field => ({ ...field, isFaulty: field.isFaulty && !field.wrap.endsWith('!') });

/** Lets references show a leaf of the entity they lead to which their owner does not otherwise resolve. */
function withProvides(model: Model, recipe: ModelRecipe): Model {
  const provide = (field: Field, index: number): Field => {
    const entity = model.entities.find(({ name }) => name === field.named);
    const [owner, second] = field.owners;
    if (!entity || !owner || second || (recipe.seed + index) % 3 !== 0) return field;
    const offered = entity.fields.find(
      (other) =>
        !other.requires &&
        !other.overrides &&
        other.args.length === 0 &&
        other.owners.every((name) => name !== owner) &&
        (SCALARS as readonly string[]).includes(other.named),
    );
    return offered ? { ...field, provides: offered.name } : field;
  };
  return {
    ...model,
    entities: model.entities.map((entity) => ({ ...entity, fields: entity.fields.map(provide) })),
    roots: model.roots.map(provide),
  };
}

/** Arguments a field may take, with their defaults. */
export const ARGS = [
  'n: Int = 2',
  's: String',
  'ids: [Int!]',
  'f: Filter',
  'c: Color = RED',
  'j: JSON',
  'm: Int! = 1',
] as const;
