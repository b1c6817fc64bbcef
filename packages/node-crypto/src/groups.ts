/** Key exchange shares (§4.3.8): how long they are, and the hybrid group where OpenSSL lacks ML-KEM. */
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import type { Encapsulation, EphemeralKey, NamedGroupName } from 'tls13-core';

/** Bytes of a client's and a server's key_exchange and of the shared secret. */
export const shareLengths: Readonly<
  Record<NamedGroupName, { readonly client: number; readonly server: number; readonly secret: number }>
> = {
  x25519: { client: 32, server: 32, secret: 32 },
  secp256r1: { client: 65, server: 65, secret: 32 },
  secp384r1: { client: 97, server: 97, secret: 48 },
  secp521r1: { client: 133, server: 133, secret: 66 },
  X25519MLKEM768: { client: 1216, server: 1120, secret: 64 },
};

/** What key exchange needs of a provider. */
export interface KeyExchange {
  generateKeyShare(group: NamedGroupName): EphemeralKey;
  encapsulate(group: NamedGroupName, peerKeyExchange: Uint8Array): Encapsulation | undefined;
}

/** X25519MLKEM768 (RFC 9954) of a given X25519 and noble's ML-KEM-768: in shares and secret ML-KEM comes first. */
export function hybridKeyExchange(elliptic: KeyExchange): KeyExchange {
  return {
    generateKeyShare: (group) => new HybridKey(group, elliptic.generateKeyShare('x25519')),
    encapsulate(group, peerKeyExchange) {
      if (peerKeyExchange.length !== shareLengths[group].client) return undefined;
      const classical = elliptic.encapsulate('x25519', peerKeyExchange.subarray(encapsulationKeyLength));
      const quantum = encapsulateQuantum(peerKeyExchange.subarray(0, encapsulationKeyLength));
      if (classical === undefined || quantum === undefined) return undefined;
      const keyExchange = joined(quantum.cipherText, classical.keyExchange);
      return { keyExchange, sharedSecret: joinedAndWiped(quantum.sharedSecret, classical.sharedSecret) };
    },
  };
}

const encapsulationKeyLength = 1184;
const ciphertextLength = 1088;

class HybridKey implements EphemeralKey {
  readonly group: NamedGroupName;
  readonly keyExchange: Uint8Array;
  readonly #classical: EphemeralKey;
  readonly #decapsulationKey: Uint8Array;

  constructor(group: NamedGroupName, classical: EphemeralKey) {
    const { publicKey, secretKey } = ml_kem768.keygen();
    this.group = group;
    this.#classical = classical;
    this.#decapsulationKey = secretKey;
    this.keyExchange = joined(publicKey, classical.keyExchange);
  }

  decapsulate(peerKeyExchange: Uint8Array): Uint8Array | undefined {
    if (peerKeyExchange.length !== shareLengths[this.group].server) return undefined;
    const classical = this.#classical.decapsulate(peerKeyExchange.subarray(ciphertextLength));
    if (classical === undefined) return undefined;
    // A wrong ciphertext gives a secret that nobody knows (implicit rejection): the handshake fails at Finished.
    const quantum = ml_kem768.decapsulate(peerKeyExchange.subarray(0, ciphertextLength), this.#decapsulationKey);
    return joinedAndWiped(quantum, classical);
  }

  destroy(): void {
    this.#classical.destroy();
    this.#decapsulationKey.fill(0);
  }
}

/** noble throws on an encapsulation key whose coefficients are not reduced (FIPS 203 §7.2): the peer's fault. */
function encapsulateQuantum(encapsulationKey: Uint8Array): ReturnType<typeof ml_kem768.encapsulate> | undefined {
  try {
    return ml_kem768.encapsulate(encapsulationKey);
  } catch {
    return undefined;
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

function joinedAndWiped(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = joined(first, second);
  first.fill(0);
  second.fill(0);
  return bytes;
}
