import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Requests in flight may go on for so long once a server stops, milliseconds. */
const DRAIN_MS = 10_000;
/** How often is looked whether a connection has nothing more to answer, milliseconds. */
const LOOK_MS = 50;

/**
 * How to stop a server: what is asked is answered, and nobody waits for connections on which nothing is asked. Node
 * itself waits for those that were opened and never used, and for those that are kept alive after their last answer.
 */
export function stopOf(server: Server): () => Promise<void> {
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  const endUnused = () => {
    server.closeIdleConnections();
    for (const socket of open) if (socket.bytesRead === 0) socket.destroy();
  };
  return async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    endUnused();
    const looking = setInterval(endUnused, LOOK_MS);
    const limit = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
    await closed;
    clearInterval(looking);
    clearTimeout(limit);
  };
}
