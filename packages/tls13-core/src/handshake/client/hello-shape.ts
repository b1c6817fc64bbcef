/** What a ClientHello looks like beside what it says: GREASE (RFC 8701) and the order of its extensions. */
import type { CryptoProvider } from '../../crypto/provider.js';
import type { ClientSettings } from '../../settings/index.js';
import { chooseGrease, type Grease } from '../grease.js';

/** Chosen once a connection: a second ClientHello differs from the first by what was asked for alone (§4.2.2). */
export interface HelloShape {
  readonly grease: Grease | undefined;
  /** Where an extension stands, by its type: lower first, and as the tables have them where it is the same. */
  readonly order: (type: number) => number;
}

export function chooseShape({ provider, grease, permuteExtensions }: ClientSettings): HelloShape {
  const values = grease ? chooseGrease(provider) : undefined;
  const place = permuteExtensions ? permutation(provider) : () => 0;
  return {
    grease: values,
    order(type) {
      if (type === values?.firstExtension) return Number.NEGATIVE_INFINITY;
      if (type === values?.lastExtension) return Number.POSITIVE_INFINITY;
      return place(type);
    },
  };
}

/** A place for every type that there may be, drawn when it is first asked for. */
function permutation(provider: CryptoProvider): (type: number) => number {
  const places = new Map<number, number>();
  return (type) => {
    const known = places.get(type);
    if (known !== undefined) return known;
    const [a = 0, b = 0, c = 0, d = 0] = provider.random(4);
    const place = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
    places.set(type, place);
    return place;
  };
}
