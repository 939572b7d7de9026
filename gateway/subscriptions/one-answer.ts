/**
 * One answer as a stream of one event, which the protocol's library can end: when the client completes its operation before
 * it is answered, or closes its socket, `signal` is aborted. It is asked for at once.
 */
export function oneAnswer<T>(ask: (signal: AbortSignal) => Promise<T>): AsyncGenerator<T> {
  const left = new AbortController();
  const done = { done: true, value: undefined } as const;
  let answer: Promise<T> | undefined = ask(left.signal);
  answer.catch(() => undefined); // told to who asks for it
  const leave = async () => {
    answer = undefined;
    left.abort();
    return done;
  };
  return {
    async next() {
      if (!answer) return done;
      const value = await answer;
      if (!answer) return done;
      answer = undefined;
      return { done: false, value };
    },
    return: leave,
    throw: leave,
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      await leave();
    },
  };
}
