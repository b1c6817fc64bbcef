/** What a case expected and did not find: the shim's own verdict, not the library's. */
export class Failure extends Error {}

export function expectSame<T extends string | number | boolean | undefined>(
  what: string,
  actual: T,
  expected: T,
): void {
  if (actual !== expected) throw new Failure(`${what} is ${String(actual)}; expected is ${String(expected)}`);
}

/** Chains of bytes, compared and shown in hexadecimal. */
export function expectBytes(what: string, actual: readonly Uint8Array[], expected: readonly Uint8Array[]): void {
  expectSame(what, hex(actual), hex(expected));
}

function hex(chain: readonly Uint8Array[]): string {
  return chain.map((bytes) => Buffer.from(bytes).toString('hex')).join();
}
