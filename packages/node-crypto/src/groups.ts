/** Key exchange shares (§4.3.8): how long they are, and the groups with ML-KEM where OpenSSL lacks ML-KEM. */
import { ml_kem768, ml_kem1024 } from '@noble/post-quantum/ml-kem.js';
import type { Encapsulation, EphemeralKey, NamedGroupName } from 'tls13-core';

/** Bytes of a client's and a server's key_exchange and of the shared secret. */
export const shareLengths: Readonly<
  Record<NamedGroupName, { readonly client: number; readonly server: number; readonly secret: number }>
> = {
  x25519: { client: 32, server: 32, secret: 32 },
  secp256r1: { client: 65, server: 65, secret: 32 },
  secp384r1: { client: 97, server: 97, secret: 48 },
  secp521r1: { client: 133, server: 133, secret: 66 },
  x448: { client: 56, server: 56, secret: 56 },
  X25519MLKEM768: { client: 1216, server: 1120, secret: 64 },
  MLKEM768: { client: 1184, server: 1088, secret: 32 },
  MLKEM1024: { client: 1568, server: 1568, secret: 32 },
  SecP256r1MLKEM768: { client: 1249, server: 1153, secret: 64 },
  SecP384r1MLKEM1024: { client: 1665, server: 1665, secret: 80 },
};

/** What key exchange needs of a provider. */
export interface KeyExchange {
  generateKeyShare(group: NamedGroupName): EphemeralKey;
  encapsulate(group: NamedGroupName, peerKeyExchange: Uint8Array): Encapsulation | undefined;
}

/** Groups with noble's ML-KEM: alone, and beside a curve (RFC 9954) that is computed by somebody else. */
export function kemKeyExchange(elliptic: KeyExchange): KeyExchange {
  return {
    generateKeyShare: (group) => new KemKey(kemOf(group), elliptic),
    encapsulate(group, peerKeyExchange) {
      const parameters = kemOf(group);
      const parts = split(parameters, peerKeyExchange, parameters.encapsulationKeyLength);
      if (parts === undefined) return undefined;
      const { curve } = parameters;
      const classical = curve === undefined ? noCurve : elliptic.encapsulate(curve, parts.classical);
      const quantum = encapsulateQuantum(parameters, parts.quantum);
      if (classical === undefined || quantum === undefined) return undefined;
      const keyExchange = joined(parameters, quantum.cipherText, classical.keyExchange);
      return { keyExchange, sharedSecret: joinedAndWiped(parameters, quantum.sharedSecret, classical.sharedSecret) };
    },
  };
}

const nothing: Uint8Array = new Uint8Array(0);
const noCurve: Encapsulation = { keyExchange: nothing, sharedSecret: nothing };

interface Kem {
  readonly group: NamedGroupName;
  /** `undefined` for ML-KEM alone. */
  readonly curve: NamedGroupName | undefined;
  readonly kem: typeof ml_kem768;
  readonly encapsulationKeyLength: number;
  readonly ciphertextLength: number;
  /** Which part leads in both shares and in the secret: ML-KEM with X25519 alone, the curve with the others. */
  readonly quantumFirst: boolean;
}

const kem768 = { kem: ml_kem768, encapsulationKeyLength: 1184, ciphertextLength: 1088 };
const kem1024 = { kem: ml_kem1024, encapsulationKeyLength: 1568, ciphertextLength: 1568 };

const kems: readonly Kem[] = [
  { group: 'MLKEM768', curve: undefined, quantumFirst: true, ...kem768 },
  { group: 'MLKEM1024', curve: undefined, quantumFirst: true, ...kem1024 },
  { group: 'X25519MLKEM768', curve: 'x25519', quantumFirst: true, ...kem768 },
  { group: 'SecP256r1MLKEM768', curve: 'secp256r1', quantumFirst: false, ...kem768 },
  { group: 'SecP384r1MLKEM1024', curve: 'secp384r1', quantumFirst: false, ...kem1024 },
];

function kemOf(group: NamedGroupName): Kem {
  const parameters = kems.find((known) => known.group === group);
  if (parameters === undefined) throw new RangeError(`${group} is not a group with ML-KEM`);
  return parameters;
}

class KemKey implements EphemeralKey {
  readonly group: NamedGroupName;
  readonly keyExchange: Uint8Array;
  readonly #parameters: Kem;
  readonly #classical: EphemeralKey | undefined;
  readonly #decapsulationKey: Uint8Array;

  constructor(parameters: Kem, elliptic: KeyExchange) {
    const { publicKey, secretKey } = parameters.kem.keygen();
    this.group = parameters.group;
    this.#parameters = parameters;
    this.#classical = parameters.curve && elliptic.generateKeyShare(parameters.curve);
    this.#decapsulationKey = secretKey;
    this.keyExchange = joined(parameters, publicKey, this.#classical?.keyExchange);
  }

  decapsulate(peerKeyExchange: Uint8Array): Uint8Array | undefined {
    const parts = split(this.#parameters, peerKeyExchange, this.#parameters.ciphertextLength);
    if (parts === undefined) return undefined;
    const classical = this.#classical === undefined ? nothing : this.#classical.decapsulate(parts.classical);
    if (classical === undefined) return undefined;
    // A wrong ciphertext gives a secret that nobody knows (implicit rejection): the handshake fails at Finished.
    const quantum = this.#parameters.kem.decapsulate(parts.quantum, this.#decapsulationKey);
    return joinedAndWiped(this.#parameters, quantum, classical);
  }

  destroy(): void {
    this.#classical?.destroy();
    this.#decapsulationKey.fill(0);
  }
}

/** The two parts of a share as views; `undefined` for one of another length. */
function split({ curve, quantumFirst }: Kem, share: Uint8Array, quantumLength: number) {
  const curveLength = curve === undefined ? 0 : shareLengths[curve].client;
  if (share.length !== quantumLength + curveLength) return undefined;
  return quantumFirst
    ? { quantum: share.subarray(0, quantumLength), classical: share.subarray(quantumLength) }
    : { quantum: share.subarray(curveLength), classical: share.subarray(0, curveLength) };
}

/** noble throws on an encapsulation key whose coefficients are not reduced (FIPS 203 §7.2): the peer's fault. */
function encapsulateQuantum({ kem }: Kem, encapsulationKey: Uint8Array) {
  try {
    return kem.encapsulate(encapsulationKey);
  } catch {
    return undefined;
  }
}

function joined({ quantumFirst }: Kem, quantum: Uint8Array, classical = nothing): Uint8Array {
  const [first, second] = quantumFirst ? [quantum, classical] : [classical, quantum];
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

function joinedAndWiped(parameters: Kem, quantum: Uint8Array, classical: Uint8Array): Uint8Array {
  const bytes = joined(parameters, quantum, classical);
  quantum.fill(0);
  classical.fill(0);
  return bytes;
}
