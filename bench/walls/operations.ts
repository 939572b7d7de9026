import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isInputObjectType,
  isLeafType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { type SeedTenant, seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { type Given, hasId, valueFor } from '../../tests/setup/door-operation.ts';
import { type Draw, drawing } from '../fuzz.inputs.ts';
import type { Owners } from './owners.ts';
import { TENANTS } from './principals.ts';
import { canaryOf, isBait } from './watch.ts';

type Field = GraphQLField<unknown, unknown>;

/** One request as it is drawn: the same for a seed and a number. */
export interface Operation {
  text: string;
  /** Which of those who ask. */
  asker: number;
  /** Its client goes away after so long, milliseconds. */
  leavesAfter?: number;
  /** It asks the gateway whose deadlines are short. */
  isHurried: boolean;
}

export interface Ground {
  schema: GraphQLSchema;
  owners: Owners;
  /** The tenants of each who asks, first the one they ask in. */
  askers: readonly (readonly SeedTenant[])[];
}

/** Doors that would end who asks, or their tenant: they are asked with ids of others alone. */
const ENDS =
  /^(signOut|refreshSession|switchTenant|end(Session|OtherSessions|Member|MemberSessions)|(suspend|restore)(Member|User)|setMemberRoles|leaveTenant|eraseMyAccount|change(Password|Email)|closeTenant|(revoke|rotate)ApiKey|updateSignInPolicy|enrolTotp|addPasskey)$/;

const UNKNOWN = seedId('ffff');
const MAX_DEPTH = 5;
const SHARES = { mutation: 0.25, malformed: 0.04, leaves: 0.06, hurried: 0.05, own: 0.5, foreign: 0.4 };

/** The request with a number. Nothing but the seed, the number and the ground it grows on decides what it is. */
export function operationAt(seed: number, n: number, ground: Ground): Operation {
  const draw = drawing(seed + Math.imul(n + 1, 0x9e3779b1));
  const asker = draw.below(ground.askers.length);
  const tenant = ground.askers[asker]?.[0] as SeedTenant;
  const isMutation = draw.next() < SHARES.mutation;
  const text = new Sentence(draw, ground, tenant, isMutation).text(n);
  return {
    text: draw.next() < SHARES.malformed ? malformed(text, draw) : text,
    asker,
    ...(draw.next() < SHARES.leaves ? { leavesAfter: draw.below(30) } : {}),
    isHurried: draw.next() < SHARES.hurried,
  };
}

/** The same with a mistake in it. */
function malformed(text: string, draw: Draw): string {
  const at = draw.below(text.length);
  return draw.oneOf([
    text.slice(0, at),
    text.replace('{', '{ noSuchField '),
    text.replaceAll(/first: \d/g, 'first: -1'),
    text.replaceAll(/"[0-9a-f-]{36}"/g, '"no id"'),
    `${text.slice(0, at)}"${text.slice(at)}`,
  ]);
}

class Sentence {
  private aliases = 0;

  constructor(
    private readonly draw: Draw,
    private readonly ground: Ground,
    private readonly tenant: SeedTenant,
    private readonly isMutation: boolean,
  ) {}

  text(n: number): string {
    const root = this.isMutation ? this.ground.schema.getMutationType() : this.ground.schema.getQueryType();
    const fields = Object.values(root?.getFields() ?? {}).filter(({ name, args }) => !ENDS.test(name) || hasId(args));
    const count = this.chance(0.6) ? 1 : 2 + this.draw.below(2);
    const roots = Array.from({ length: count }, () => this.draw.oneOf(fields));
    return `${this.isMutation ? 'mutation' : 'query'} Walls${n} { ${roots.map((field) => this.field(field, MAX_DEPTH, true)).join(' ')} }`;
  }

  private chance(share: number): boolean {
    return this.draw.next() < share;
  }

  private field(field: Field, depth: number, isAliased = this.chance(0.15)): string {
    const alias = isAliased ? `a${this.aliases++}: ` : '';
    return `${alias}${field.name}${this.args(field)} ${this.selection(field.type, depth)}`;
  }

  private args(field: Field): string {
    const noun = getNamedType(field.type).name.replace(/(Connection|Payload|Update|Change)$/, '');
    const given = field.args.flatMap((arg) => {
      if (arg.name === 'first') return this.chance(0.6) ? [`first: ${1 + this.draw.below(4)}`] : [];
      if (!this.isTold(arg)) return [];
      return [`${arg.name}: ${valueFor(arg.type, this.given(field), arg.name === 'id' ? `${noun}Id` : arg.name)}`];
    });
    return given.length > 0 ? `(${given.join(', ')})` : '';
  }

  private isTold({ type, defaultValue }: GraphQLArgument): boolean {
    if (isNonNullType(type) && defaultValue === undefined) return true;
    const named = getNamedType(type);
    return this.chance(named.name === 'ID' ? 0.8 : isInputObjectType(named) ? 0.25 : 0.1);
  }

  private given(door: Field): Given {
    return {
      id: (name) => this.id(name, ENDS.test(door.name)),
      text: (name) => this.wording(name),
      oneOf: (values) => this.draw.oneOf(values),
      tells: ({ type }, depth) => depth < 2 && this.chance(getNamedType(type).name === 'ID' ? 0.7 : 0.15),
    };
  }

  private wording(name: string): string {
    if (/mail/i.test(name)) return `w${this.draw.below(1e6)}@${this.tenant}.example`;
    return this.chance(0.9) ? `${canaryOf(this.tenant)} ${name} ${this.draw.below(1e6)}` : '';
  }

  /** An id of the right kind where there is one: one's own, another tenant's, or nobody's. */
  private id(name: string, isForeign: boolean): string {
    const share = this.draw.next();
    const owner =
      !isForeign && share < SHARES.own
        ? this.tenant
        : this.draw.oneOf(TENANTS.filter((tenant) => tenant !== this.tenant));
    const noun = name.replace(/Ids?$/, '').toLowerCase();
    const nouns = this.ground.owners.nouns[owner];
    const ids = nouns.get(noun) ?? nouns.get(this.draw.oneOf([...nouns.keys()])) ?? [];
    const isMine = (id: string) => this.ground.owners.of.get(id)?.has(this.tenant) ?? false;
    const fit = owner === this.tenant ? ids : ids.filter((id) => !isMine(id) && (!this.isMutation || isBait(id)));
    return share > SHARES.own + SHARES.foreign || fit.length === 0 ? UNKNOWN : this.draw.oneOf(fit);
  }

  private selection(type: GraphQLOutputType, depth: number): string {
    const named = getNamedType(type);
    if (isLeafType(named)) return '';
    if (isObjectType(named)) return `{ __typename ${this.fields(named, depth)} }`;
    if (isInputObjectType(named)) return '';
    const parts = this.ground.schema
      .getPossibleTypes(named)
      .map((part) => `... on ${part.name} { ${part.getFields().id ? 'id' : '__typename'} }`);
    return `{ __typename ${parts.join(' ')} }`;
  }

  private fields(type: GraphQLObjectType, depth: number): string {
    const isPage = type.name.endsWith('Connection') || type.name.endsWith('Payload');
    return Object.values(type.getFields())
      .filter((field) => {
        if (isLeafType(getNamedType(field.type))) return this.chance(field.name === 'id' ? 0.95 : 0.7);
        return depth > 1 && this.chance(isPage && field.name !== 'edges' ? 0.9 : 0.25);
      })
      .map((field) => this.field(field, depth - 1))
      .join(' ');
  }
}
