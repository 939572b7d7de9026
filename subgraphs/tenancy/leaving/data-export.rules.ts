import { Refusal } from '../../../schema/errors.ts';

export type ExportState = 'REQUESTED' | 'RUNNING' | 'READY' | 'EXPIRED' | 'FAILED';

/** How long the files of an export are kept, milliseconds. */
export const KEPT_MS = 7 * 86_400_000;
/** A link to a file opens once within this time, milliseconds. */
export const LINK_MS = 15 * 60_000;
/** An export some domain has not answered for so long has failed, milliseconds. */
export const PATIENCE_MS = 86_400_000;

/** The domains an export is to hold: all, or those named. Refuses with INVALID an empty list and one we do not know. */
export function domainsToExport(named: readonly string[] | null | undefined, known: readonly string[]): string[] {
  if (!named) return [...known];
  const unknown = named.find((name) => !known.includes(name));
  if (unknown !== undefined || named.length === 0)
    throw new Refusal('INVALID', `An export holds some of: ${known.join(', ')}.`, 'domains');
  return known.filter((name) => named.includes(name));
}

export interface ExportProgress<F> {
  state: ExportState;
  waitingFor: readonly string[];
  files: readonly F[];
}

/** An export once a domain has answered; null where it was not waited for: it answered before, or was not asked for. */
export function answered<F>(
  held: ExportProgress<F>,
  domain: string,
  files: readonly F[],
): (ExportProgress<F> & { state: 'RUNNING' | 'READY' }) | null {
  if (!held.waitingFor.includes(domain) || !['REQUESTED', 'RUNNING'].includes(held.state)) return null;
  const waitingFor = held.waitingFor.filter((name) => name !== domain);
  return { state: waitingFor.length === 0 ? 'READY' : 'RUNNING', waitingFor, files: [...held.files, ...files] };
}
