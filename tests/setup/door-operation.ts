import { randomUUID } from 'node:crypto';
import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLOutputType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';

/** What values are made of, by the name of what asks for one. */
export interface Given {
  id(name: string): string;
  text(name: string): string;
  oneOf(values: readonly string[]): string;
  /** Whether a field that may be left out is told. */
  tells(field: GraphQLInputField, depth: number): boolean;
}

/** The same id wherever an id is asked, the least of anything else. */
const least = (id: string): Given => ({
  id: () => id,
  text: () => `x-${randomUUID()}`,
  oneOf: ([first = 'null']) => first,
  tells: ({ type }, depth) => depth < 2 && getNamedType(type).name === 'ID',
});

/** A value for an input, as GraphQL spells it. */
export function valueFor(type: GraphQLInputType, given: Given, name: string, depth = 0): string {
  if (isNonNullType(type)) return valueFor(type.ofType, given, name, depth);
  if (isListType(type)) return `[${valueFor(type.ofType, given, name, depth)}]`;
  if (isEnumType(type)) return given.oneOf(type.getValues().map((value) => value.name));
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields()).filter(
      (field) => isNonNullType(field.type) || given.tells(field, depth),
    );
    return `{ ${fields.map((field) => `${field.name}: ${valueFor(field.type, given, field.name, depth + 1)}`).join(', ')} }`;
  }
  switch ((type as { name: string }).name) {
    case 'ID':
      return JSON.stringify(given.id(name));
    case 'Int':
      return '1';
    case 'Float':
      return '1.5';
    case 'Boolean':
      return 'true';
    case 'DateTime':
      return '"2027-03-17T16:15:30Z"';
    case 'Date':
      return '"2027-03-17"';
    case 'CurrencyCode':
      return '"EUR"';
    case 'FeatureKey':
      return '"crm"';
    case 'QuotaKey':
      return '"tickets"';
    case 'Quantity':
    case 'AmountMinor':
    case 'Decimal':
      return '"1"';
    case 'IpAddress':
      return '"192.0.2.1"';
    case 'MacAddress':
      return '"02:00:00:00:00:01"';
    case 'TimeZone':
      return '"Europe/Berlin"';
    default:
      return JSON.stringify(given.text(name));
  }
}

/** Whether an id can be told anywhere in what a door is given. */
export function hasId(args: readonly GraphQLArgument[]): boolean {
  const holds = (type: GraphQLInputType, depth: number): boolean => {
    const named = getNamedType(type);
    if (isInputObjectType(named))
      return depth < 3 && Object.values(named.getFields()).some((field) => holds(field.type, depth + 1));
    return named.name === 'ID';
  };
  return args.some((arg) => holds(arg.type, 0));
}

/**
 * Asks one door, with the given id wherever an id can be told and the least of anything else that is needed.
 * @param depth how deep what it answers is asked for.
 */
export function operationFor(kind: string, field: GraphQLField<unknown, unknown>, id: string, depth = 4): string {
  const args = field.args.filter(
    (arg) =>
      isNonNullType(arg.type) || getNamedType(arg.type).name === 'ID' || isInputObjectType(getNamedType(arg.type)),
  );
  const given =
    args.length > 0
      ? `(${args.map((arg) => `${arg.name}: ${valueFor(arg.type, least(id), arg.name)}`).join(', ')})`
      : '';
  return `${kind} { ${field.name}${given} ${selectionOf(field.type, depth)} }`;
}

/** Everything that can be asked without arguments, to a depth. */
export function selectionOf(type: GraphQLOutputType, depth: number): string {
  const named = getNamedType(type);
  if (isLeafType(named)) return '';
  if (!isObjectType(named)) return '{ __typename }';
  const fields = Object.values(named.getFields())
    .filter((field) => !field.args.some((arg) => isNonNullType(arg.type) && arg.defaultValue === undefined))
    .flatMap((field) => {
      if (isLeafType(getNamedType(field.type))) return [field.name];
      if (depth <= 1 || field.name === 'edges') return [];
      return [`${field.name} ${selectionOf(field.type, depth - 1)}`];
    });
  return fields.length > 0 ? `{ ${fields.join(' ')} }` : '{ __typename }';
}
