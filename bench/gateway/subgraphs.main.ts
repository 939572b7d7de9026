import { createServer, type Socket } from 'node:net';
import { graphql } from 'graphql';
import { SUBGRAPHS, schemaOf } from './shop.ts';

/**
 * The four subgraphs behind one port, as cheap as they can be: each request is executed once and answered from memory
 * ever after, so that what is measured is the gateway. A request without the caller's own header gets an error.
 */
const schemas = new Map(Object.keys(SUBGRAPHS).map((name) => [name, schemaOf(name)]));
const known = new Map<string, Buffer>();
const CRLF = '\r\n';
/** The header's value is different in each request of a client, so what is forwarded is counted by its last bytes. */
const FORWARDED = /\r\nauthorization: *Bearer (\S+)\r\n/i;

async function answer(key: string, path: string, body: string): Promise<Buffer> {
  const { query, variables, operationName } = JSON.parse(body);
  const schema = schemas.get(path.slice(1));
  if (!schema) throw new Error(`There is no subgraph at ${path}.`);
  const text = JSON.stringify(
    await graphql({ schema, source: query, variableValues: variables ?? undefined, operationName }),
  );
  const head = `HTTP/1.1 200 OK${CRLF}content-type: application/json${CRLF}content-length: ${Buffer.byteLength(text)}${CRLF}${CRLF}`;
  const bytes = Buffer.from(head + text);
  known.set(key, bytes);
  return bytes;
}

const UNSENT = '{"errors":[{"message":"The caller\'s header is missing."}]}';
const REFUSAL = Buffer.from(
  `HTTP/1.1 200 OK${CRLF}content-type: application/json${CRLF}content-length: ${UNSENT.length}${CRLF}${CRLF}${UNSENT}`,
);

function serve(socket: Socket): void {
  let held: Buffer = Buffer.alloc(0);
  let turn = Promise.resolve();
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    held = held.length > 0 ? Buffer.concat([held, chunk]) : chunk;
    for (;;) {
      const end = held.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = held.toString('latin1', 0, end + 2);
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      if (held.length < end + 4 + length) return;
      const body = held.toString('utf8', end + 4, end + 4 + length);
      held = held.subarray(end + 4 + length);
      const path = head.slice(head.indexOf(' ') + 1, head.indexOf(' ', 5));
      const key = path + body;
      const ready = FORWARDED.test(head) ? known.get(key) : REFUSAL;
      if (ready && socket.writableLength >= 0) {
        turn = turn.then(() => void socket.write(ready));
        continue;
      }
      turn = turn.then(async () => void socket.write(await answer(key, path, body)));
    }
  });
}

const server = createServer(serve).listen(Number(process.argv[2]), '127.0.0.1', () => console.log('ready'));
process.on('SIGTERM', () => server.close(() => process.exit(0)) && setTimeout(() => process.exit(0), 100));
