/** Hashes of the portable provider, from @noble/hashes. */
import { hmac } from '@noble/hashes/hmac.js';
import { sha256, sha384 } from '@noble/hashes/sha2.js';
import type { Hash, HashName, RunningHash } from './provider.js';

export function nobleHash(name: HashName): Hash {
  return hashes[name];
}

type NobleState = ReturnType<typeof sha256.create> | ReturnType<typeof sha384.create>;

class NobleRunningHash implements RunningHash {
  readonly #state: NobleState;

  constructor(state: NobleState) {
    this.#state = state;
  }

  update(data: Uint8Array): void {
    this.#state.update(data);
  }

  copy(): RunningHash {
    return new NobleRunningHash(this.#state.clone());
  }

  digest(): Uint8Array {
    return this.#state.clone().digest();
  }
}

const hashes: Readonly<Record<HashName, Hash>> = {
  sha256: {
    name: 'sha256',
    length: sha256.outputLen,
    digest: (data) => sha256(data),
    start: () => new NobleRunningHash(sha256.create()),
    hmac: (key, data) => hmac(sha256, key, data),
  },
  sha384: {
    name: 'sha384',
    length: sha384.outputLen,
    digest: (data) => sha384(data),
    start: () => new NobleRunningHash(sha384.create()),
    hmac: (key, data) => hmac(sha384, key, data),
  },
};
