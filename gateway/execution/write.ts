import { type Data, isObject, own } from './faults.ts';
import type { FieldShape, ObjectShape, TypeShape } from './shape.ts';

/** Thrown to oneself where something is not as the schema says. */
const ODD = Symbol('odd');

/**
 * Writes an answer as JSON text in the shape and order the client asked for, when nothing is wrong with it. Undefined if
 * anything is: then `complete` finds out what.
 */
export function writeAnswer(shape: ObjectShape, data: Data): string | undefined {
  try {
    return writeObject(shape, data);
  } catch (error) {
    if (error === ODD) return undefined;
    throw error;
  }
}

function writeObject({ typeName, fields }: ObjectShape, from: Data): string {
  let text = '';
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] as FieldShape;
    text += text === '' ? field.head : field.nextHead;
    if (field.source === '__typename') text += quote(typeName);
    else {
      const value = field.isInherited ? own(from, field.source) : from[field.source];
      if (value === null || value === undefined) {
        if (field.type?.isNonNull) throw ODD;
        text += 'null';
      } else text += field.type ? writePresent(field.type, value) : JSON.stringify(value);
    }
  }
  return text === '' ? '{}' : `${text}}`;
}

function writePresent(type: TypeShape, value: unknown): string {
  const { leaf, item, object } = type;
  if (leaf) {
    const written = leaf(value);
    if (written === undefined) throw ODD;
    return typeof written === 'string'
      ? quote(written)
      : typeof written === 'object'
        ? JSON.stringify(written)
        : `${written}`;
  }
  if (item) {
    if (!Array.isArray(value)) throw ODD;
    let text = '';
    for (let i = 0; i < value.length; i++) {
      const one: unknown = value[i];
      text += i === 0 ? '[' : ',';
      if (one !== null && one !== undefined) text += writePresent(item, one);
      else if (item.isNonNull) throw ODD;
      else text += 'null';
    }
    return text === '' ? '[]' : `${text}]`;
  }
  const shape = isObject(value) && !Array.isArray(value) ? object?.of(value.__typename) : undefined;
  if (!shape) throw ODD;
  return writeObject(shape, value as Data);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must be escaped
const NEEDS_ESCAPE = /["\\\u0000-\u001f\ud800-\udfff]/;
/** Longer texts are quoted faster by the engine. */
const SHORT = 64;

function quote(text: string): string {
  return text.length < SHORT && !NEEDS_ESCAPE.test(text) ? `"${text}"` : JSON.stringify(text);
}
