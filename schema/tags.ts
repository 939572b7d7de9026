/** A root field whose work waits in a queue of its own; see `Queued`. */
export const QUEUED = 'dotmac-queued';
