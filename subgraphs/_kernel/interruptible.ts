/**
 * An async generator that ends at once when it is returned. A plain one is deaf while it waits for its next value:
 * `return()` would queue behind a wait that may never end. `interrupt` must make that wait end.
 */
export function interruptible<T>(generator: AsyncGenerator<T>, interrupt: () => void): AsyncGenerator<T> {
  return {
    next: () => generator.next(),
    return: (value) => {
      interrupt();
      return generator.return(value);
    },
    throw: (error) => {
      interrupt();
      return generator.throw(error);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      await this.return(undefined);
    },
  };
}
