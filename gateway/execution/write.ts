import type { Data } from './faults.ts';
import type { FieldShape, ObjectShape, TypeShape } from './shape.ts';

/** Thrown to oneself where something is not as the schema says. */
const ODD = Symbol('odd');

/**
 * Writes an answer as JSON text in the shape and order the client asked for, when nothing is wrong with it. Undefined if
 * anything is: then `complete` finds out what.
 */
export function writeAnswer(shape: ObjectShape, data: Data): string | undefined {
  try {
    return JSON.stringify(makerOf(shape)(data));
  } catch (error) {
    if (error === ODD) return undefined;
    throw error;
  }
}

/** Makes the value shown of the value found; throws ODD for one that is not as it must be. */
type Make = (value: unknown) => unknown;

const makers = new WeakMap<ObjectShape, Make>();

function makerOf(shape: ObjectShape): Make {
  let make = makers.get(shape);
  if (!make) {
    make = compileMaker(shape);
    makers.set(shape, make);
  }
  return make;
}

/**
 * Compiles a function that makes an object of one shape by a literal of its own: the engine then knows each field's
 * place, which it cannot where one loop makes objects of all shapes. Nothing of a client's gets into its text but names,
 * which GraphQL spells in letters, digits and underscores, and those as JSON.
 */
function compileMaker({ typeName, fields }: ObjectShape): Make {
  const makes: Make[] = [];
  const members = fields.map((field, i) => {
    const key = JSON.stringify(field.key);
    return `${field.key === '__proto__' ? `[${key}]` : key}: ${expressionOf(field, `v${i}`, makes)}`;
  });
  const reads = fields.map(({ source, isInherited }, i) => {
    const key = JSON.stringify(source);
    return `const v${i} = ${isInherited ? `Object.hasOwn(from, ${key}) ? from[${key}] : undefined` : `from[${key}]`};`;
  });
  const text = `${reads.join('\n')}\nreturn { ${members.join(', ')} };`;
  const made = new Function('typeName', 'makes', 'odd', `return (from) => { ${text} };`);
  return made(typeName, makes, odd) as Make;
}

/** The expression that makes one field's value of what was read. */
function expressionOf({ source, type }: FieldShape, value: string, makes: Make[]): string {
  if (source === '__typename') return 'typeName';
  if (!type) return `${value} ?? null`;
  const absent = `${value} === null || ${value} === undefined ? ${type.isNonNull ? 'odd()' : 'null'} : `;
  const check = type.leafName && CHECKS[type.leafName];
  if (check) return `${absent}${check.replaceAll('v', value)} ? ${value} : odd()`;
  makes.push(presentMaker(type));
  return `${absent}makes[${makes.length - 1}](${value})`;
}

/** Leaves that are shown as they are, by what must hold of them. */
const CHECKS: Record<string, string> = {
  String: `typeof v === 'string'`,
  Int: 'Number.isInteger(v)',
  Float: `typeof v === 'number'`,
  Boolean: `typeof v === 'boolean'`,
};

function presentMaker({ leaf, item, object }: TypeShape): Make {
  if (leaf) return (value) => leaf(value) ?? odd();
  if (item) return listMaker(item, presentMaker(item));
  return (value) => {
    if (typeof value !== 'object' || Array.isArray(value)) return odd();
    const shape = object?.of((value as Data).__typename);
    return shape ? makerOf(shape)(value) : odd();
  };
}

function listMaker({ isNonNull }: TypeShape, make: Make): Make {
  return (values) => {
    if (!Array.isArray(values)) return odd();
    const made: unknown[] = [];
    for (let i = 0; i < values.length; i++) {
      const value: unknown = values[i];
      if (value !== null && value !== undefined) made.push(make(value));
      else made.push(isNonNull ? odd() : null);
    }
    return made;
  };
}

function odd(): never {
  throw ODD;
}
