/** ML-KEM (FIPS 203) in the portable provider: beside a curve, each enough by itself (RFC 9954), and alone. */
import { randomBytes } from '@noble/hashes/utils.js';
import { ml_kem768, ml_kem1024 } from '@noble/post-quantum/ml-kem.js';
import { concat } from '../bytes.js';
import type { KemGroupName, NamedGroupName } from '../registry.js';
import type { Encapsulation, EphemeralKey } from './provider.js';

/** The curve of a hybrid; ML-KEM alone has none. */
export function curveOf(group: KemGroupName): CurveOfKem | undefined {
  return kems[group].curve;
}

/** A fresh private key: ML-KEM's seed, then the scalar of the curve. */
export function kemPrivateKey(scalar = nothing): Uint8Array {
  return concat(randomBytes(seedLength), scalar);
}

/** The client's half, of a private key as `kemPrivateKey` makes it. */
export function kemKeyShare(
  group: KemGroupName,
  privateKey: Uint8Array,
  curveShare: (curve: NamedGroupName, scalar: Uint8Array) => EphemeralKey,
): EphemeralKey {
  const { kem, curve, ...parameters } = kems[group];
  const { publicKey, secretKey } = kem.keygen(privateKey.subarray(0, seedLength));
  const classical = curve && curveShare(curve, privateKey.subarray(seedLength));
  return {
    group,
    keyExchange: join(parameters, publicKey, classical?.keyExchange),
    decapsulate(peerKeyExchange) {
      const parts = split(parameters, peerKeyExchange, parameters.ciphertextLength);
      if (parts === undefined) return undefined;
      const second = classical === undefined ? nothing : classical.decapsulate(parts.classical);
      if (second === undefined) return undefined;
      return joinSecrets(parameters, kem.decapsulate(parts.quantum, secretKey), second);
    },
    destroy() {
      secretKey.fill(0);
      privateKey.fill(0);
      classical?.destroy();
    },
  };
}

/** The server's half; `undefined` for a share that is not valid. */
export function kemEncapsulate(
  group: KemGroupName,
  peerKeyExchange: Uint8Array,
  curveEncapsulate: (curve: NamedGroupName, peerKeyExchange: Uint8Array) => Encapsulation | undefined,
): Encapsulation | undefined {
  const { kem, curve, ...parameters } = kems[group];
  const parts = split(parameters, peerKeyExchange, parameters.encapsulationKeyLength);
  if (parts === undefined) return undefined;
  const classical = curve === undefined ? noCurve : curveEncapsulate(curve, parts.classical);
  if (classical === undefined) return undefined;
  const quantum = encapsulate(kem, parts.quantum);
  return (
    quantum && {
      keyExchange: join(parameters, quantum.cipherText, classical.keyExchange),
      sharedSecret: joinSecrets(parameters, quantum.sharedSecret, classical.sharedSecret),
    }
  );
}

export type CurveOfKem = NonNullable<(typeof kems)[KemGroupName]['curve']>;

interface Parameters {
  readonly encapsulationKeyLength: number;
  readonly ciphertextLength: number;
  /** Bytes of the curve's share. */
  readonly shareLength: number;
  /** Which part leads in both shares and in the secret: ML-KEM with X25519 alone, the curve with the others. */
  readonly quantumFirst: boolean;
}

const seedLength = 64;
const nothing: Uint8Array = new Uint8Array(0);
const noCurve: Encapsulation = { keyExchange: nothing, sharedSecret: nothing };

const kem768 = { kem: ml_kem768, encapsulationKeyLength: 1184, ciphertextLength: 1088 } as const;
const kem1024 = { kem: ml_kem1024, encapsulationKeyLength: 1568, ciphertextLength: 1568 } as const;

const kems = {
  MLKEM768: { ...kem768, curve: undefined, shareLength: 0, quantumFirst: true },
  MLKEM1024: { ...kem1024, curve: undefined, shareLength: 0, quantumFirst: true },
  X25519MLKEM768: { ...kem768, curve: 'x25519', shareLength: 32, quantumFirst: true },
  SecP256r1MLKEM768: { ...kem768, curve: 'secp256r1', shareLength: 65, quantumFirst: false },
  SecP384r1MLKEM1024: { ...kem1024, curve: 'secp384r1', shareLength: 97, quantumFirst: false },
} as const;

function split(
  { shareLength, quantumFirst }: Parameters,
  share: Uint8Array,
  quantumLength: number,
): { readonly quantum: Uint8Array; readonly classical: Uint8Array } | undefined {
  if (share.length !== quantumLength + shareLength) return undefined;
  return quantumFirst
    ? { quantum: share.subarray(0, quantumLength), classical: share.subarray(quantumLength) }
    : { quantum: share.subarray(shareLength), classical: share.subarray(0, shareLength) };
}

function join(
  { quantumFirst }: Pick<Parameters, 'quantumFirst'>,
  quantum: Uint8Array,
  classical = nothing,
): Uint8Array {
  return quantumFirst ? concat(quantum, classical) : concat(classical, quantum);
}

function joinSecrets(
  parameters: Pick<Parameters, 'quantumFirst'>,
  quantum: Uint8Array,
  classical: Uint8Array,
): Uint8Array {
  const joined = join(parameters, quantum, classical);
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
