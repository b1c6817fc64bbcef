/**
 * Answers of the application: there already, or promised. Anything with a `then` is a promise: one of another library,
 * or of another realm, that was taken for the answer itself would let a verdict pass that is not there yet.
 */

export type Awaitable<T> = T | Promise<T>;

export function isPromised<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** All of them; at once when they are there already. */
export function allKnown<T>(values: readonly Awaitable<T>[]): Awaitable<readonly T[]> {
  const known: T[] = [];
  for (const value of values) {
    if (isPromised(value)) return Promise.all(values);
    known.push(value);
  }
  return known;
}

/** Goes on at once when the value is there already. */
export function whenKnown<A, B>(value: Awaitable<A>, then: (value: A) => Awaitable<B>): Awaitable<B> {
  return isPromised(value) ? Promise.resolve(value).then(then) : then(value);
}
