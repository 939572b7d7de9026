import { randomUUID } from 'node:crypto';
import {
  type GraphQLField,
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

/** A value for an input: the given id wherever an id is asked, the least of anything else that is needed. */
function valueFor(type: GraphQLInputType, id: string, depth = 0): string {
  if (isNonNullType(type)) return valueFor(type.ofType, id, depth);
  if (isListType(type)) return `[${valueFor(type.ofType, id, depth)}]`;
  if (isEnumType(type)) return type.getValues()[0]?.name ?? 'null';
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields()).filter(
      (field) => isNonNullType(field.type) || (depth < 2 && getNamedType(field.type).name === 'ID'),
    );
    return `{ ${fields.map((field) => `${field.name}: ${valueFor(field.type, id, depth + 1)}`).join(', ')} }`;
  }
  switch ((type as { name: string }).name) {
    case 'ID':
      return JSON.stringify(id);
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
      return JSON.stringify(`x-${randomUUID()}`);
  }
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
  const given = args.length > 0 ? `(${args.map((arg) => `${arg.name}: ${valueFor(arg.type, id)}`).join(', ')})` : '';
  return `${kind} { ${field.name}${given} ${selectionOf(field.type, depth)} }`;
}

/** Everything that can be asked without arguments, to a depth. */
function selectionOf(type: GraphQLOutputType, depth: number): string {
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
