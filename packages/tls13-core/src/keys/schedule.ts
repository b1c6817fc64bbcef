/** The key schedule (§7.1) as three classes, each the only door to the next, and what is derived from its secrets later. */
import { deriveSecret, hkdfExpandLabel, hkdfExtract } from '../crypto/hkdf.js';
import type { Hash } from '../crypto/provider.js';

declare const secretBrand: unique symbol;

/** A secret of the key schedule, `Hash.length` bytes: not any other bytes. */
export type Secret = Uint8Array & { readonly [secretBrand]: true };

/** Takes bytes from outside the key schedule (a stored session, an external PSK) for a secret. */
export function asSecret(bytes: Uint8Array): Secret {
  return bytes as Secret;
}

/** Of a resumption PSK, an external one (§4.3.11.2), or an imported one (RFC 9258 §5.2): none passes for another. */
export type BinderKind = 'res' | 'ext' | 'imp';

export class EarlySecret {
  readonly #secret: ExtractedSecret;

  private constructor(secret: ExtractedSecret) {
    this.#secret = secret;
  }

  /** From a PSK, or from none. The caller's `psk` is left as it is. */
  static from(hash: Hash, psk?: Uint8Array): EarlySecret {
    return new EarlySecret(
      psk === undefined ? ExtractedSecret.ofNothing(hash) : ExtractedSecret.from(hash, noBytes, psk),
    );
  }

  /** The PSK's. */
  get hash(): Hash {
    return this.#secret.hash;
  }

  /** binder_key (§4.3.11.2). */
  binderKey(kind: BinderKind): Secret {
    return this.#secret.deriveOfNothing(`${kind} binder`);
  }

  /** client_early_traffic_secret, over ClientHello. */
  clientEarlyTraffic(transcriptHash: Uint8Array): Secret {
    return this.#secret.derive('c e traffic', transcriptHash);
  }

  /** early_exporter_secret, over ClientHello. */
  earlyExporter(transcriptHash: Uint8Array): Secret {
    return this.#secret.derive('e exp master', transcriptHash);
  }

  /** With the (EC)DHE shared secret, or `undefined` for psk_ke. This secret is wiped and must not be used again. */
  handshake(sharedSecret: Uint8Array | undefined): HandshakeSecret {
    return new HandshakeSecret(this.#secret.next(sharedSecret));
  }

  destroy(): void {
    this.#secret.wipe();
  }
}

export class HandshakeSecret {
  readonly #secret: ExtractedSecret;

  /** Only `EarlySecret.handshake` has what it takes. */
  constructor(secret: ExtractedSecret) {
    this.#secret = secret;
  }

  /** client_handshake_traffic_secret, over ClientHello...ServerHello. */
  clientTraffic(transcriptHash: Uint8Array): Secret {
    return this.#secret.derive('c hs traffic', transcriptHash);
  }

  /** server_handshake_traffic_secret, over ClientHello...ServerHello. */
  serverTraffic(transcriptHash: Uint8Array): Secret {
    return this.#secret.derive('s hs traffic', transcriptHash);
  }

  /** This secret is wiped and must not be used again. */
  main(): MainSecret {
    return new MainSecret(this.#secret.next(undefined));
  }

  destroy(): void {
    this.#secret.wipe();
  }
}

export class MainSecret {
  readonly #secret: ExtractedSecret;

  /** Only `HandshakeSecret.main` has what it takes. */
  constructor(secret: ExtractedSecret) {
    this.#secret = secret;
  }

  /** client_application_traffic_secret_0, over ClientHello...server Finished. */
  clientTraffic(transcriptHash: Uint8Array): Secret {
    return this.#secret.derive('c ap traffic', transcriptHash);
  }

  /** server_application_traffic_secret_0, over ClientHello...server Finished. */
  serverTraffic(transcriptHash: Uint8Array): Secret {
    return this.#secret.derive('s ap traffic', transcriptHash);
  }

  /** exporter_secret, over ClientHello...server Finished. */
  exporter(transcriptHash: Uint8Array): Secret {
    return this.#secret.derive('exp master', transcriptHash);
  }

  /** resumption_secret, over ClientHello...client Finished. */
  resumption(transcriptHash: Uint8Array): Secret {
    return this.#secret.derive('res master', transcriptHash);
  }

  destroy(): void {
    this.#secret.wipe();
  }
}

/** The PSK of a ticket (§4.7.1). */
export function resumptionPsk(hash: Hash, resumptionSecret: Secret, ticketNonce: Uint8Array): Secret {
  return asSecret(hkdfExpandLabel(hash, resumptionSecret, 'resumption', ticketNonce, hash.length));
}

/** application_traffic_secret_N+1 (§7.2). The caller wipes the one before. */
export function nextTrafficSecret(hash: Hash, trafficSecret: Secret): Secret {
  return asSecret(hkdfExpandLabel(hash, trafficSecret, 'traffic upd', noBytes, hash.length));
}

/** TLS-Exporter(label, context, length) (§7.5): `length` bytes. */
export function exportKeyingMaterial(
  hash: Hash,
  exporterSecret: Secret,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  const secret = deriveSecret(hash, exporterSecret, label, constantsOf(hash).digestOfNothing);
  const keyingMaterial = hkdfExpandLabel(hash, secret, 'exporter', hash.digest(context), length);
  secret.fill(0);
  return keyingMaterial;
}

/** A secret that the schedule extracts and derives from; wiped when the schedule has moved on. */
class ExtractedSecret {
  readonly hash: Hash;
  readonly #secret: Uint8Array;
  #wiped = false;

  private constructor(hash: Hash, secret: Uint8Array) {
    this.hash = hash;
    this.#secret = secret;
  }

  static from(hash: Hash, salt: Uint8Array, inputKeyingMaterial: Uint8Array | undefined): ExtractedSecret {
    return new ExtractedSecret(hash, hkdfExtract(hash, salt, inputKeyingMaterial ?? new Uint8Array(hash.length)));
  }

  /** The early secret without a PSK, which everybody knows. */
  static ofNothing(hash: Hash): ExtractedSecret {
    return new ExtractedSecret(hash, constantsOf(hash).earlySecret.slice());
  }

  derive(label: string, transcriptHash: Uint8Array): Secret {
    if (this.#wiped) throw new TypeError(`"${label}" was asked of a secret that has been wiped: derive it earlier`);
    return asSecret(deriveSecret(this.hash, this.#secret, label, transcriptHash));
  }

  /** Derive-Secret(., ., "") */
  deriveOfNothing(label: string): Secret {
    return this.derive(label, constantsOf(this.hash).digestOfNothing);
  }

  /** The next secret of the schedule, extracted with this one's "derived" as the salt. Wipes this one. */
  next(inputKeyingMaterial: Uint8Array | undefined): ExtractedSecret {
    const salt = this.deriveOfNothing('derived');
    this.wipe();
    const next = ExtractedSecret.from(this.hash, salt, inputKeyingMaterial);
    salt.fill(0);
    return next;
  }

  wipe(): void {
    this.#secret.fill(0);
    this.#wiped = true;
  }
}

/** What every schedule over a hash has in common: computed once. */
interface Constants {
  /** Hash("") */
  readonly digestOfNothing: Uint8Array;
  /** HKDF-Extract(0, 0) */
  readonly earlySecret: Uint8Array;
}

const constants = new WeakMap<Hash, Constants>();

function constantsOf(hash: Hash): Constants {
  const known = constants.get(hash);
  if (known !== undefined) return known;
  const earlySecret = hkdfExtract(hash, noBytes, new Uint8Array(hash.length));
  const made = { digestOfNothing: hash.digest(noBytes), earlySecret };
  constants.set(hash, made);
  return made;
}

const noBytes = new Uint8Array(0);
