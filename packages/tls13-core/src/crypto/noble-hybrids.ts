/** The hybrid groups of the portable provider (RFC 9954): one curve and ML-KEM (FIPS 203), each enough by itself. */
import { randomBytes } from '@noble/hashes/utils.js';
import { ml_kem768, ml_kem1024 } from '@noble/post-quantum/ml-kem.js';
import { concat } from '../bytes.js';
import type { HybridGroupName, NamedGroupName } from '../registry.js';
import type { Encapsulation, EphemeralKey } from './provider.js';

/** The curve of a hybrid. */
export function curveOf(group: HybridGroupName): CurveOfHybrid {
  return hybrids[group].curve;
}

/** A fresh private key: ML-KEM's seed, then the scalar of the curve. */
export function hybridPrivateKey(scalar: Uint8Array): Uint8Array {
  return concat(randomBytes(seedLength), scalar);
}

/** The client's half, of a private key as `hybridPrivateKey` makes it. */
export function hybridKeyShare(
  group: HybridGroupName,
  privateKey: Uint8Array,
  curveShare: (curve: NamedGroupName, scalar: Uint8Array) => EphemeralKey,
): EphemeralKey {
  const { kem, curve, ...hybrid } = hybrids[group];
  const { publicKey, secretKey } = kem.keygen(privateKey.subarray(0, seedLength));
  const classical = curveShare(curve, privateKey.subarray(seedLength));
  return {
    group,
    keyExchange: join(hybrid, publicKey, classical.keyExchange),
    decapsulate(peerKeyExchange) {
      const parts = split(hybrid, peerKeyExchange, hybrid.ciphertextLength);
      const second = parts && classical.decapsulate(parts.classical);
      if (parts === undefined || second === undefined) return undefined;
      return joinSecrets(hybrid, kem.decapsulate(parts.quantum, secretKey), second);
    },
    destroy() {
      secretKey.fill(0);
      privateKey.fill(0);
      classical.destroy();
    },
  };
}

/** The server's half; `undefined` for a share that is not valid. */
export function hybridEncapsulate(
  group: HybridGroupName,
  peerKeyExchange: Uint8Array,
  curveEncapsulate: (curve: NamedGroupName, peerKeyExchange: Uint8Array) => Encapsulation | undefined,
): Encapsulation | undefined {
  const { kem, curve, ...hybrid } = hybrids[group];
  const parts = split(hybrid, peerKeyExchange, hybrid.encapsulationKeyLength);
  const classical = parts && curveEncapsulate(curve, parts.classical);
  if (parts === undefined || classical === undefined) return undefined;
  const quantum = encapsulate(kem, parts.quantum);
  return (
    quantum && {
      keyExchange: join(hybrid, quantum.cipherText, classical.keyExchange),
      sharedSecret: joinSecrets(hybrid, quantum.sharedSecret, classical.sharedSecret),
    }
  );
}

export type CurveOfHybrid = (typeof hybrids)[HybridGroupName]['curve'];

interface Hybrid {
  readonly encapsulationKeyLength: number;
  readonly ciphertextLength: number;
  /** Bytes of the curve's share. */
  readonly shareLength: number;
  /** Which part leads in both shares and in the secret: ML-KEM with X25519 alone, the curve with the others. */
  readonly quantumFirst: boolean;
}

const seedLength = 64;

const kem768 = { kem: ml_kem768, encapsulationKeyLength: 1184, ciphertextLength: 1088 } as const;
const kem1024 = { kem: ml_kem1024, encapsulationKeyLength: 1568, ciphertextLength: 1568 } as const;

const hybrids = {
  X25519MLKEM768: { ...kem768, curve: 'x25519', shareLength: 32, quantumFirst: true },
  SecP256r1MLKEM768: { ...kem768, curve: 'secp256r1', shareLength: 65, quantumFirst: false },
  SecP384r1MLKEM1024: { ...kem1024, curve: 'secp384r1', shareLength: 97, quantumFirst: false },
} as const;

function split(
  { shareLength, quantumFirst }: Hybrid,
  share: Uint8Array,
  quantumLength: number,
): { readonly quantum: Uint8Array; readonly classical: Uint8Array } | undefined {
  if (share.length !== quantumLength + shareLength) return undefined;
  return quantumFirst
    ? { quantum: share.subarray(0, quantumLength), classical: share.subarray(quantumLength) }
    : { quantum: share.subarray(shareLength), classical: share.subarray(0, shareLength) };
}

function join({ quantumFirst }: Pick<Hybrid, 'quantumFirst'>, quantum: Uint8Array, classical: Uint8Array): Uint8Array {
  return quantumFirst ? concat(quantum, classical) : concat(classical, quantum);
}

function joinSecrets(hybrid: Pick<Hybrid, 'quantumFirst'>, quantum: Uint8Array, classical: Uint8Array): Uint8Array {
  const joined = join(hybrid, quantum, classical);
  quantum.fill(0);
  classical.fill(0);
  return joined;
}

/** `undefined` for an encapsulation key that fails the modulus check of FIPS 203 §7.2, at which the library throws. */
function encapsulate(kem: typeof ml_kem768, encapsulationKey: Uint8Array) {
  try {
    return kem.encapsulate(encapsulationKey);
  } catch {
    return undefined;
  }
}
