import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { type Data, type Fault, faultsBelow, faultsOf, isObject, isUnknown, type Path } from './faults.ts';
import type { FieldShape, ObjectShape, TypeShape } from './shape.ts';

/** What stands in for a value whose error went up to the next nullable parent. */
const NULLED = Symbol('nulled');
/** What stands in for a thing nobody knows: a reference to it is null, and no error. */
const MISSING = Symbol('missing');

/** A fault with the place in the answer where its error arose. */
interface PlacedFault extends Pick<Fault, 'error' | 'at'> {
  origin: Path;
  /** Whether the client asked for that place, all the way. */
  isAsked: boolean;
}
type Faults = readonly PlacedFault[] | undefined;

/**
 * Writes the answer in the shape and order the client asked for, with null propagation by the GraphQL specification
 * (section 6.4.4): an error nulls the nearest nullable parent, and stands once, with its path. Why a value is missing is
 * read off the data, where the subgraphs' errors are noted; a null the schema forbids and nobody explains is one of ours.
 * What a subgraph does not know is missing as a whole where the schema lets it be.
 */
export function complete(shape: ObjectShape, data: Data): { data: Data | null; errors: GraphQLError[] } {
  const errors: GraphQLError[] = [];
  const path: (string | number)[] = [];
  const told = new Set<GraphQLFormattedError>();
  /** Errors that other fields were worked out in spite of, to be told even if the client did not ask for their own. */
  const felt = new Set<GraphQLFormattedError>();

  const written = writeObject(shape, data, undefined);
  if (typeof written === 'symbol') keepLast(0);
  for (const error of felt)
    if (!told.has(error)) errors.push(new GraphQLError(error.message, { extensions: error.extensions }));
  return { data: typeof written === 'symbol' ? null : written, errors };

  function writeObject(
    { typeName, fields }: ObjectShape,
    from: Data,
    above: Faults,
  ): Data | typeof NULLED | typeof MISSING {
    const noted = faultsOf(from);
    const faults = noted ? [...(above ?? []), ...place(fields, noted)] : above;
    const faultsAt = faults && faultsBelow(faults);
    for (const { error, isFelt } of noted ?? []) if (isFelt) felt.add(error);
    const made: Data = {};
    for (const field of fields) {
      const value = field.source === '__typename' ? typeName : writeField(field, from, faultsAt?.(field.source));
      if (value === NULLED || value === MISSING) return value;
      if (field.key === '__proto__') Object.defineProperty(made, field.key, { value, enumerable: true });
      else made[field.key] = value;
    }
    return made;
  }

  function writeField(field: FieldShape, from: Data, faults: Faults): unknown {
    const value = Object.hasOwn(from, field.source) ? from[field.source] : undefined;
    if (!field.type) return value;
    path.push(field.key);
    const made = writeValue(field.type, field, value, faults);
    path.pop();
    const isGone = made === NULLED && (value ?? null) === null && !faults && isUnknown(from);
    return isGone ? MISSING : made;
  }

  function writeValue(type: TypeShape, field: FieldShape, value: unknown, faults: Faults): unknown {
    if (value !== null && value !== undefined) {
      const before = errors.length;
      const made = writePresent(type, field, value, faults);
      if (made !== NULLED && made !== MISSING) return made;
      if (made === MISSING && !type.isNonNull) errors.splice(before);
      else keepLast(before);
    } else {
      const fault = faults?.find(({ at }) => at || value === undefined);
      if (fault) tell(fault, type.isNonNull);
      else if (type.isNonNull) fail(`Cannot return null for the non-nullable field ${field.place}.`);
    }
    return type.isNonNull ? NULLED : null;
  }

  function writePresent({ leaf, item, object }: TypeShape, field: FieldShape, value: unknown, faults: Faults): unknown {
    if (leaf) return leaf(value) ?? fail(`${field.place} is of another type than it says.`);
    if (item)
      return Array.isArray(value) ? writeList(item, field, value, faults) : fail(`${field.place} is not a list.`);
    if (!object || !isObject(value)) return fail(`${field.place} is not an object.`);
    const shape = object.of(value.__typename);
    if (shape) return writeObject(shape, value, faults);
    const noted = faultsOf(value)?.filter(({ at }) => at?.[0] === '__typename') ?? [];
    const [fault] = place(fieldsBelow(field), noted);
    return fault ? tell(fault, true) : fail(`${field.place} is of no type this graph knows.`);
  }

  function writeList(item: TypeShape, field: FieldShape, values: readonly unknown[], faults: Faults): unknown {
    const made: unknown[] = [];
    const faultsAt = faults && faultsBelow(faults);
    for (let i = 0; i < values.length; i++) {
      path.push(i);
      const written = writeValue(item, field, values[i], faultsAt?.(i));
      path.pop();
      if (written === NULLED) return NULLED;
      made.push(written);
    }
    return made;
  }

  function fail(sentence: string): typeof NULLED {
    errors.push(new GraphQLError(sentence, { path: [...path], extensions: { code: 'INTERNAL' } }));
    return NULLED;
  }

  /** Tells a fault at this place; or where it arose, if the null there comes up to here or goes up together with this one. */
  function tell({ error, at, origin, isAsked }: PlacedFault, isNonNull: boolean): typeof NULLED {
    told.add(error);
    const isBelow = path.every((step, i) => origin[i] === step);
    errors.push(
      new GraphQLError(error.message, {
        path: isBelow || (isNonNull && at && isAsked) ? origin : [...path],
        extensions: error.extensions,
      }),
    );
    return NULLED;
  }

  /** Forgets errors below a null but the one that brought it there. */
  function keepLast(before: number): void {
    errors.splice(before, errors.length - before - 1);
  }

  /** The faults noted on an object, each with its place as far as the client asked for it, in the client's names. */
  function place(fields: readonly FieldShape[], noted: readonly Fault[]): PlacedFault[] {
    return noted.map(({ error, at, path: steps }) => {
      const origin = [...path];
      let among = fields;
      let isAsked = true;
      for (const step of steps) {
        const next = among.find(({ source }) => source === step);
        isAsked &&= next !== undefined || typeof step === 'number';
        if (!isAsked) break;
        origin.push(next?.key ?? step);
        if (next) among = fieldsBelow(next);
      }
      return { error, at, origin, isAsked };
    });
  }
}

function fieldsBelow({ type }: FieldShape): readonly FieldShape[] {
  let below = type;
  while (below?.item) below = below.item;
  return below?.object?.all().flatMap(({ fields }) => fields) ?? [];
}
