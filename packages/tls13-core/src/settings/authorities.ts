/** The names of authorities that a side sends (§4.3.4). */
import { derTags } from '../x509/der.js';

/** Throws TypeError for what is no name, RangeError when they do not go into one extension. */
export function checkedAuthorities(names: readonly Uint8Array[]): readonly Uint8Array[] {
  if (names.some((name) => name[0] !== derTags.sequence || name.length < 2)) {
    throw new TypeError(
      'certificateAuthorities must be distinguished names in DER, such as the subject of a certificate',
    );
  }
  const bytes = names.reduce((sum, { length }) => sum + 2 + length, 0);
  if (bytes > longestList) {
    throw new RangeError(`certificateAuthorities take ${bytes} bytes; at most ${longestList} go (§4.3.4): name fewer`);
  }
  return names;
}

const longestList = 2 ** 16 - 1;
