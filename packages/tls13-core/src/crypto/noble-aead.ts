/** AEADs of the portable provider: AES-GCM and ChaCha20-Poly1305 of @noble/ciphers, and AES-CCM over its AES. */
import { gcm } from '@noble/ciphers/aes.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { ccm } from './ccm.js';
import type { Aead, AeadName } from './provider.js';
import { aeadKeyLength, aeadTagLength, ivLength } from './suites.js';

export function nobleAead(name: AeadName, key: Uint8Array): Aead {
  const keyLength = aeadKeyLength(name);
  if (key.length !== keyLength) throw new RangeError(`a key of ${name} has ${keyLength} bytes, not ${key.length}`);
  return new NobleAead(name, key.slice());
}

class NobleAead implements Aead {
  readonly tagLength: number;
  readonly #key: Uint8Array;
  readonly #cipher: (nonce: Uint8Array, associatedData: Uint8Array) => OneMessage;
  #destroyed = false;

  constructor(name: AeadName, key: Uint8Array) {
    this.tagLength = aeadTagLength(name);
    this.#key = key;
    this.#cipher = ciphers[name](key);
  }

  seal(nonce: Uint8Array, associatedData: Uint8Array, plaintext: Uint8Array, room?: Uint8Array): Uint8Array {
    this.#check(nonce);
    return this.#cipher(nonce, associatedData).seal(plaintext, room);
  }

  open(nonce: Uint8Array, associatedData: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    this.#check(nonce);
    if (sealed.length < this.tagLength) return undefined;
    return this.#cipher(nonce, associatedData).open(sealed);
  }

  destroy(): void {
    this.#key.fill(0);
    this.#destroyed = true;
  }

  #check(nonce: Uint8Array): void {
    if (this.#destroyed) throw new TypeError('this AEAD was destroyed: its key is gone');
    if (nonce.length !== ivLength) throw new RangeError(`a nonce has ${ivLength} bytes, not ${nonce.length}`);
  }
}

interface OneMessage {
  seal(plaintext: Uint8Array, room: Uint8Array | undefined): Uint8Array;
  open(sealed: Uint8Array): Uint8Array | undefined;
}

type Cipher = (key: Uint8Array) => (nonce: Uint8Array, associatedData: Uint8Array) => OneMessage;

interface NobleCipher {
  encrypt(plaintext: Uint8Array, room?: Uint8Array): Uint8Array;
  decrypt(sealed: Uint8Array): Uint8Array;
}

/**
 * A cipher whose `decrypt` throws when the tag is wrong; what else it could throw at was checked before.
 * @param takesRoom whether `encrypt` writes where it is told to: noble's GCM refuses that.
 */
function throwing(
  make: (key: Uint8Array, nonce: Uint8Array, associatedData: Uint8Array) => NobleCipher,
  takesRoom: boolean,
): Cipher {
  return (key) => (nonce, associatedData) => {
    const cipher = make(key, nonce, associatedData);
    return {
      seal: (plaintext, room) => cipher.encrypt(plaintext, takesRoom ? room : undefined),
      open(sealed) {
        try {
          return cipher.decrypt(sealed);
        } catch {
          return undefined;
        }
      },
    };
  };
}

function ccmWithTag(tagLength: 8 | 16): Cipher {
  return (key) => {
    const cipher = ccm(key, tagLength);
    return (nonce, associatedData) => ({
      seal: (plaintext) => cipher.seal(nonce, associatedData, plaintext),
      open: (sealed) => cipher.open(nonce, associatedData, sealed),
    });
  };
}

const ciphers: Readonly<Record<AeadName, Cipher>> = {
  'aes-128-gcm': throwing(gcm, false),
  'aes-256-gcm': throwing(gcm, false),
  'chacha20-poly1305': throwing(chacha20poly1305, true),
  'aes-128-ccm': ccmWithTag(16),
  'aes-128-ccm-8': ccmWithTag(8),
};
