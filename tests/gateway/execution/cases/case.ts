import type { Request } from '../federation.ts';
import type { Story } from '../story.ts';

/** A story with the requests it must answer as one graph would. */
export interface Case extends Story {
  name: string;
  requests: readonly (string | Request)[];
}
