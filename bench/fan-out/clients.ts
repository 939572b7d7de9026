import { LightSocket } from '../light-socket.ts';

/** Many subscribers in one process, as light as they can be: what is measured is the server. */
const QUERY = 'subscription { tenantUpdated { id slug name } }';
/** Sockets that shake hands at once. */
const AT_ONCE = 50;

interface Subscriber {
  id: string;
  text: string;
  heard: (message: string) => void;
}

const subscribers: Subscriber[] = [];

function subscribe(port: number, token: string, id: string): Promise<Subscriber> {
  return new Promise((resolve, reject) => {
    const subscriber: Subscriber = { id, text: '', heard: () => undefined };
    const fail = (error: Error) => {
      process.send?.({ failure: error.message });
      reject(error);
    };
    const socket = new LightSocket(port, token, {
      ready: () => socket.send({ id, type: 'subscribe', payload: { query: QUERY } }),
      heard(message) {
        if (!message.includes('"next"')) return fail(new Error(`${message} after ${subscriber.text}`));
        if (!subscriber.text) subscriber.id = String(/"id":"([^"]*)"/.exec(message)?.[1]);
        subscriber.text = message;
        subscriber.heard(message);
        resolve(subscriber);
      },
      ended: fail,
    });
  });
}

/** Waits until all have heard a name; answers when the last one did. Throws if anybody heard anything else. */
function waitFor(name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let left = subscribers.length;
    for (const subscriber of subscribers)
      subscriber.heard = (message) => {
        left -= 1;
        if (left > 0) return;
        const at = performance.timeOrigin + performance.now();
        const expected = (id: string) =>
          `{"id":"${id}","type":"next","payload":{"data":{"tenantUpdated":{"id":"01990000-0000-7000-8000-000000000a01","slug":"kestrel","name":"${name}"}}}}`;
        const wrong = subscribers.find(({ id, text }) => text !== expected(id));
        if (wrong) reject(new Error(`${message} is not ${expected(wrong.id)}: ${wrong.text}`));
        else resolve(at);
      };
  });
}

type Order = { do: 'connect'; port: number; token: string; count: number } | { do: 'wait'; name: string };

process.on('message', async (order: Order) => {
  try {
    if (order.do === 'connect') {
      for (let i = 0; i < order.count; i += AT_ONCE)
        subscribers.push(
          ...(await Promise.all(
            Array.from({ length: Math.min(AT_ONCE, order.count - i) }, (_, j) =>
              subscribe(order.port, order.token, `stream-${subscribers.length + j}`),
            ),
          )),
        );
      process.send?.({ connected: subscribers.length });
    }
    if (order.do === 'wait') {
      const heard = waitFor(order.name);
      process.send?.({ isWaiting: true });
      process.send?.({ lastAt: await heard });
    }
  } catch (error) {
    process.send?.({ failure: (error as Error).message });
  }
});
process.send?.({ isReady: true });
