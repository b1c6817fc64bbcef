/**
 * GREASE (RFC 8701): values that mean nothing, sent where a peer must pass over what it does not know, so that peers which
 * do not are found out before a new value needs them.
 */
import type { CryptoProvider } from '../crypto/provider.js';
import type { RawExtension } from '../wire/index.js';

/** The values of one connection; the second ClientHello has the same as the first (§4.2.2). */
export interface Grease {
  readonly cipherSuite: number;
  readonly group: number;
  readonly version: number;
  readonly signatureScheme: number;
  /** Types of an extension at either end of the block; never the same. */
  readonly firstExtension: number;
  readonly lastExtension: number;
  readonly pskKeyExchangeMode: number;
  /** One character per byte. */
  readonly alpnProtocol: string;
}

export function chooseGrease(provider: CryptoProvider): Grease {
  const random = provider.random(8);
  const at = (index: number) => random[index] ?? 0;
  const first = at(4) & 0x0f;
  const protocol = String.fromCharCode(greaseValue(at(7)) & 0xff);
  return {
    cipherSuite: greaseValue(at(0)),
    group: greaseValue(at(1)),
    version: greaseValue(at(2)),
    signatureScheme: greaseValue(at(3)),
    firstExtension: greaseValue(first),
    // 1 to 15 places further on.
    lastExtension: greaseValue(first + 1 + (at(5) % 15)),
    // RFC 8701 §2: 0x0b, 0x2a … 0xe4, each 0x1f from the next.
    pskKeyExchangeMode: 0x0b + 0x1f * (at(6) & 0x07),
    alpnProtocol: protocol + protocol,
  };
}

/** One empty extension that a peer passes over (RFC 8701 §4.1), or none. */
export function greaseExtension(grease: Grease | undefined): readonly RawExtension[] {
  return grease === undefined ? [] : [{ type: grease.firstExtension, data: new Uint8Array(0) }];
}

function greaseValue(random: number): number {
  return ((random & 0x0f) << 4) * 0x0101 + 0x0a0a;
}
