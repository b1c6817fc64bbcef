/** DER, as far as the runner's files and tickets need it. */

/** The elements of a DER sequence's content, headers included. */
export function elements(content: Uint8Array): readonly Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let rest = content; rest.length > 0; rest = rest.subarray(found.at(-1)?.length ?? rest.length)) {
    const { header, length } = measure(rest);
    found.push(rest.subarray(0, header + length));
  }
  return found;
}

export function contentOf(element: Uint8Array): Uint8Array {
  const { header, length } = measure(element);
  return element.subarray(header, header + length);
}

function measure(element: Uint8Array): { readonly header: number; readonly length: number } {
  const first = element[1] ?? 0;
  if (first < 0x80) return { header: 2, length: first };
  const header = 2 + (first & 0x7f);
  return { header, length: element.subarray(2, header).reduce((value, byte) => value * 256 + byte, 0) };
}
