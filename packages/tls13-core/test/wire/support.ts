/** What the tests of the wire share: bytes from hexadecimal, and which alert a piece of code ends in. */
import { TlsError } from '../../src/alert.js';

/** Spaces are for the reader. */
export function hex(text: string): Uint8Array {
  const digits = text.replaceAll(/\s/g, '');
  return Uint8Array.from({ length: digits.length / 2 }, (_, index) =>
    Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16),
  );
}

/** The alert of the TlsError that `run` throws; `undefined` if it returns. Anything else thrown goes through. */
export function alertOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof TlsError) return error.alert;
    throw error;
  }
}

export function bytes(length: number, value = 0x5a): Uint8Array {
  return new Uint8Array(length).fill(value);
}
