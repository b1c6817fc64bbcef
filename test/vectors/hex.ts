/** Hexadecimal, for vectors and for messages of failing tests. */

export function fromHex(hex: string): Uint8Array {
  const digits = hex.replace(/\s/g, '');
  if (!/^([0-9a-f]{2})*$/i.test(digits)) throw new Error(`not hexadecimal: ${hex.slice(0, 40)}`);
  return new Uint8Array(Buffer.from(digits, 'hex'));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
