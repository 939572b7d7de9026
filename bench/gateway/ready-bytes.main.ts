import { createServer } from 'node:http';

/** The ceiling: what plain `node:http` does when the answer lies ready. */
const [port, text] = process.argv.slice(2) as [string, string];
const bytes = Buffer.from(text);
createServer((request, response) => {
  request.on('data', () => undefined);
  request.on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length });
    response.end(bytes);
  });
}).listen(Number(port), '127.0.0.1', () => console.log('ready'));
