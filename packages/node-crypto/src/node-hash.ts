/** Hashes (§7.1) by node:crypto. */
import { createHash, createHmac, createSecretKey, type Hash as NodeHash } from 'node:crypto';
import type { Hash, HashName, RunningHash } from 'tls13-core';

export const nodeHashes: Readonly<Record<HashName, Hash>> = {
  sha256: nodeHash('sha256', 32),
  sha384: nodeHash('sha384', 48),
};

/** Not a Buffer, whose `slice` does not copy. */
export function plainBytes(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

function nodeHash(name: HashName, length: number): Hash {
  return {
    name,
    length,
    digest: (data) => plainBytes(createHash(name).update(data).digest()),
    start: () => new NodeRunningHash(createHash(name)),
    // A key object: Node 24 takes ten times as long with the bytes of a key.
    hmac: (key, data) => plainBytes(createHmac(name, createSecretKey(key)).update(data).digest()),
  };
}

class NodeRunningHash implements RunningHash {
  readonly #hash: NodeHash;

  constructor(hash: NodeHash) {
    this.#hash = hash;
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  copy(): RunningHash {
    return new NodeRunningHash(this.#hash.copy());
  }

  digest(): Uint8Array {
    return plainBytes(this.#hash.copy().digest());
  }
}
