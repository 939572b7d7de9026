import { type ClassType, Directive, Field, ObjectType, registerEnumType } from 'type-graphql';
import { REFUSAL_CODES, Refusal, type RefusalCode } from './errors.ts';

export const UserErrorCode = Object.fromEntries(REFUSAL_CODES.map((code) => [code, code])) as { [C in RefusalCode]: C };
registerEnumType(UserErrorCode, { name: 'UserErrorCode', description: 'Why the domain said no.' });

@ObjectType({ description: 'The domain says no: a stable code for programs and a sentence for people.' })
@Directive('@shareable')
export class UserError {
  @Field(() => UserErrorCode) code!: RefusalCode;
  @Field(() => String) message!: string;
  @Field(() => String, { nullable: true, description: 'The input field it is about.' }) field?: string | null;
}

/** A mutation's payload: what the use case made, or why the domain refused. Never both. */
export type Payload<T> = { [K in keyof T]?: T[K] | null } & { userErrors: UserError[] };

/** The payload type with one nullable field: `payloadOf('IssueInvoicePayload', 'invoice', () => Invoice)`. */
export function payloadOf<T extends object>(
  name: string,
  field: string,
  type: () => ClassType<T>,
): ClassType<{ userErrors: UserError[] }> {
  @ObjectType(name)
  class MutationPayload {
    @Field(() => [UserError]) userErrors!: UserError[];
  }
  Field(type, { nullable: true })(MutationPayload.prototype, field);
  return MutationPayload;
}

/** A payload that also shows what is there now when someone else was faster. */
export async function orCurrent<T extends object>(
  answer: Promise<Payload<T>>,
  current: () => Promise<T | { [K in keyof T]: null }>,
): Promise<Payload<T>> {
  const given = await answer;
  return given.userErrors.some(({ code }) => code === 'CONFLICT') ? { ...(await current()), ...given } : given;
}

/** Runs a use case for its payload: a `Refusal` becomes a `userError`, anything else goes on its way. */
export async function payload<T extends object>(run: () => Promise<T>): Promise<Payload<T>> {
  try {
    return { ...(await run()), userErrors: [] };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const refused: UserError = { code: error.code, message: error.message, field: error.field ?? null };
    return { userErrors: [refused] } as unknown as Payload<T>;
  }
}
