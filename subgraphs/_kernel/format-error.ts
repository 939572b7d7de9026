import { randomUUID } from 'node:crypto';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { ClientError, ERROR_CODES, type ErrorCode, Refusal } from '../../schema/errors.ts';
import type { Logger } from './telemetry.ts';

interface Fault extends Error {
  code?: string;
}

const OUT_OF_REACH = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EPIPE',
  '57P01',
  '57P02',
  '57P03',
  '08006',
  '08001',
  '08003',
]);

/** What a failure of the machinery means to a client, or undefined if it is simply a bug. */
function meaningOf(error: Fault): [ErrorCode, string] | undefined {
  const code = error.code ?? (error.cause as Fault | undefined)?.code ?? '';
  if (code === '22P02' || code === '22021' || code === '22003')
    return ['BAD_USER_INPUT', 'A value is not of the form it needs.'];
  if (code === '57014') return ['SUBGRAPH_TIMEOUT', 'This took too long. Please try again.'];
  if (['55P03', '40P01', '53300'].includes(code) || /timeout exceeded when trying to connect/.test(error.message))
    return ['OVERLOADED', 'Too much is going on at once. Please try again.'];
  if (OUT_OF_REACH.has(code) || /Connection terminated|is not queryable/.test(error.message))
    return ['SUBGRAPH_UNAVAILABLE', 'This part is not available right now. Please try again.'];
  return undefined;
}

const isCode = (code: unknown): code is ErrorCode => ERROR_CODES.includes(code as ErrorCode);

/** GraphQL's own complaint about a document, a variable or an argument: for the client, under one of our codes. */
function isGraphQLsOwn(error: GraphQLError): boolean {
  const cause = error.originalError;
  if (!cause) return error.extensions.code === undefined;
  if (!(cause instanceof GraphQLError)) return false;
  // What a resolver throws has a path; GraphQL checks variables before it and arguments with the node at hand.
  return error.path === undefined || (cause.nodes !== undefined && cause.message.startsWith('Argument "'));
}

/** A sentence without GraphQL's guess at what was meant, which would tell names of the schema. */
const withoutGuess = (message: string) => message.replace(/ Did you mean .*$/s, '');

/**
 * What a client sees of an error: ours as they stand, everything else as INTERNAL with an id under which it was logged.
 * No stack, SQL, host or path ever leaves.
 */
export function formatError(error: GraphQLError, log: Logger): GraphQLFormattedError {
  const { locations: _, ...place } = error.toJSON();
  const cause = error.originalError ?? error;
  const given = error.extensions.code ?? (cause instanceof GraphQLError ? cause.extensions.code : undefined);
  if (isCode(given) && given !== 'INTERNAL') {
    const extensions = cause instanceof ClientError ? cause.extensions : error.extensions;
    return { ...place, message: error.message, extensions: { ...extensions, code: given } };
  }
  if (given === 'GRAPHQL_VALIDATION_FAILED' || given === 'GRAPHQL_PARSE_FAILED' || isGraphQLsOwn(error))
    return { ...place, message: withoutGuess(error.message), extensions: { code: 'BAD_USER_INPUT' } };
  const meaning = meaningOf(cause);
  if (meaning) {
    log.warn({ error: cause.message, path: error.path }, meaning[0]);
    return { ...place, message: meaning[1], extensions: { code: meaning[0] } };
  }
  if (cause instanceof Refusal)
    return {
      ...place,
      message: cause.message,
      extensions: { code: 'BAD_USER_INPUT', refusal: cause.code, field: cause.field },
    };
  const errorId = randomUUID();
  log.error({ errorId, err: cause, path: error.path }, 'unexpected error');
  return { ...place, message: 'Something went wrong on our side.', extensions: { code: 'INTERNAL', errorId } };
}
