import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { ClientError } from '../schema/errors.ts';
import type { Admitted } from './admission.ts';
import { addWayOut, isDenial, maskError, unmasked } from './denials.ts';
import type { Answer, Parts } from './graph.ts';
import type { Standing } from './standing.ts';

/** What went wrong as clients may see it, and what they should know beyond it. */
export class Refusals {
  private readonly parts: Pick<Parts, 'mint' | 'licenses' | 'denials' | 'log'>;

  constructor(parts: Pick<Parts, 'mint' | 'licenses' | 'denials' | 'log'>) {
    this.parts = parts;
  }

  /** The answer to what was not let in. */
  answerTo({ errors, extensions }: Extract<Admitted, { errors: readonly GraphQLError[] }>): Answer {
    return { errors: this.errorsOf(errors), ...(extensions ? { extensions } : {}) };
  }

  /** Errors as clients may see them. */
  errorsOf(thrown: unknown): GraphQLFormattedError[] {
    return [thrown].flat().map((error) => {
      if (error instanceof GraphQLError) {
        const shown = error.extensions.code
          ? error.toJSON()
          : { ...error.toJSON(), extensions: { code: 'BAD_USER_INPUT' } };
        return this.mask(shown);
      }
      this.parts.log.error({ err: error }, 'unexpected error');
      return this.mask({ message: '' });
    });
  }

  /** What a denial's client should know beyond the denial. */
  async withWayOut(
    errors: readonly GraphQLFormattedError[],
    standing: Standing,
  ): Promise<readonly GraphQLFormattedError[]> {
    if (!errors.some(isDenial)) return errors;
    if (standing.isLicenseUnknown) {
      const unknown = new ClientError(
        'SUBGRAPH_UNAVAILABLE',
        'The licence cannot be read right now. Please try again.',
      ).toJSON();
      return errors.map((error) =>
        isDenial(error) ? { ...unknown, ...(error.path ? { path: error.path } : {}) } : error,
      );
    }
    const noted = this.parts.denials?.noteErrors(errors, standing) ?? errors;
    const offers = await this.parts.licenses.offers().catch(() => undefined);
    return offers ? noted.map((error) => addWayOut(error, offers, standing.license?.plan)) : noted;
  }

  /** An error as clients may see it. What foreign subgraphs say of themselves is theirs to decide. */
  mask(error: GraphQLFormattedError): GraphQLFormattedError {
    return this.parts.mint ? maskError(error) : unmasked(error);
  }
}
