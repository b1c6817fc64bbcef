/** External PSKs (§4.3.11) and the importer (RFC 9258): from what was agreed on elsewhere to identities on the wire. */
import { TlsError } from './alert.js';
import type { ExternalPsk, Psk, PskEarlyData, PskToImport } from './config/index.js';
import { hkdfExpandLabel, hkdfExtract } from './crypto/hkdf.js';
import type { CryptoProvider, HashName } from './crypto/provider.js';
import { cipherSuite } from './crypto/suites.js';
import { cipherSuites, protocolVersions } from './registry.js';
import { decode, encode } from './wire/codec.js';
import { importedIdentity } from './wire/index.js';

/** One identity on the wire, good for the suites of one hash. */
export interface WirePsk {
  readonly identity: Uint8Array;
  readonly binder: 'ext' | 'imp';
  readonly hash: HashName;
  /** What the application calls it. */
  readonly name: Uint8Array;
  /** Early data that goes with this identity. */
  readonly earlyData: PskEarlyData | undefined;
  /** The key, in memory of its own: the caller wipes it. */
  key(provider: CryptoProvider): Uint8Array;
}

/** Bytes: 128 bits (RFC 9257 §6). */
export const shortestPsk = 16;

/** The hashes of TLS 1.3's suites. */
export const hashNames = ['sha256', 'sha384'] as const satisfies readonly HashName[];

/** The identities of a PSK, for each of `hashes` that it can serve, in their order. */
export function wirePsks(psk: Psk, hashes: readonly HashName[]): readonly WirePsk[] {
  if (!('externalIdentity' in psk)) {
    const { identity, key, hash = 'sha256', earlyData } = psk;
    // Not slice(): a Buffer's is a view, and wiping it would wipe the application's key.
    const copy = () => Uint8Array.from(key);
    const wire = { identity, binder: 'ext', hash, name: identity, key: copy, earlyData } as const;
    return hashes.includes(hash) ? [wire] : [];
  }
  return hashes.map((hash) => ({
    identity: identityFor(psk, hash),
    binder: 'imp',
    hash,
    name: psk.externalIdentity,
    earlyData: psk.earlyData && cipherSuite(psk.earlyData.cipherSuite).hash === hash ? psk.earlyData : undefined,
    key: (provider) => importedKey(psk, hash, provider),
  }));
}

/**
 * What the importer makes of a PSK for TLS 1.3 and each of the hashes: for looking at. Configurations take the
 * `PskToImport` itself. `identity` is 7 bytes longer than external identity and context; `key` has the hash's length.
 */
export function importPsk(
  provider: CryptoProvider,
  psk: PskToImport,
  hashes: readonly HashName[] = hashNames,
): readonly Required<Omit<ExternalPsk, 'earlyData'>>[] {
  checkPsk('importPsk()', psk);
  return wirePsks(psk, hashes).map(({ identity, hash, key }) => ({ identity, hash, key: key(provider) }));
}

/** The parts of an imported identity (RFC 9258 §5.1) for TLS 1.3; `undefined` for any other identity. */
export function parseImportedIdentity(
  identity: Uint8Array,
): { readonly externalIdentity: Uint8Array; readonly context: Uint8Array; readonly hash: HashName } | undefined {
  try {
    const { externalIdentity, context, targetProtocol, targetKdf } = decode(importedIdentity, identity, 'identity');
    const hash = hashNames.find((name) => kdfs[name] === targetKdf);
    if (hash === undefined || targetProtocol !== protocolVersions.tls13) return undefined;
    return { externalIdentity: externalIdentity.slice(), context: context.slice(), hash };
  } catch (error) {
    if (error instanceof TlsError) return undefined;
    throw error;
  }
}

/** Throws TypeError or RangeError, naming the option, for a PSK that cannot be one or that could be guessed. */
export function checkPsk(option: string, psk: Psk): void {
  if (typeof psk !== 'object' || psk === null) throw new TypeError(`${option}: a PSK is an object, not ${String(psk)}`);
  const { key, hash = 'sha256' } = psk;
  const imported = 'externalIdentity' in psk;
  const name = imported ? psk.externalIdentity : psk.identity;
  const field = imported ? 'externalIdentity' : 'identity';
  const most = imported ? longestExternalIdentity : 2 ** 16 - 1;
  if (!(name instanceof Uint8Array) || name.length === 0 || name.length > most) {
    throw new TypeError(`${option}: ${field} must be a Uint8Array of 1 to ${most} bytes`);
  }
  if (!(key instanceof Uint8Array)) throw new TypeError(`${option}: key must be a Uint8Array`);
  if (key.length < shortestPsk) {
    const seen = key.length * 8;
    throw new RangeError(
      `${option}: a key of ${seen} bits can be guessed; give at least 128 random bits (RFC 9257 §6)`,
    );
  }
  if (!hashNames.includes(hash)) throw new TypeError(`${option}: hash must be 'sha256' or 'sha384', not '${hash}'`);
  const context = imported ? psk.context : undefined;
  if (context !== undefined && (!(context instanceof Uint8Array) || name.length + context.length > most)) {
    throw new TypeError(`${option}: context must be a Uint8Array of ${most} bytes at most, externalIdentity included`);
  }
  if (psk.earlyData !== undefined) checkEarlyData(`${option}: earlyData`, psk.earlyData, imported ? undefined : hash);
}

/** @param hash that its suite must have; `undefined` for a PSK that is imported for each. */
function checkEarlyData(option: string, given: PskEarlyData, hash: HashName | undefined): void {
  const { maxSize, cipherSuite: suite, alpnProtocol, issuedAt = 0, expiresAt = Number.POSITIVE_INFINITY } = given;
  if (!Number.isInteger(maxSize) || maxSize < 1 || maxSize > 2 ** 32 - 1) {
    throw new RangeError(`${option}.maxSize must be 1 to ${2 ** 32 - 1} bytes, not ${maxSize}`);
  }
  if (!Object.hasOwn(cipherSuites, suite)) {
    throw new TypeError(`${option}.cipherSuite: '${suite}' is not a suite of TLS 1.3`);
  }
  const { hash: hashOfSuite } = cipherSuite(suite);
  if (hash !== undefined && hashOfSuite !== hash) {
    throw new TypeError(
      `${option}.cipherSuite: ${suite} goes with ${hashOfSuite}, and the PSK is of ${hash} (§4.3.11)`,
    );
  }
  if (alpnProtocol !== undefined && (typeof alpnProtocol !== 'string' || alpnProtocol === '')) {
    throw new TypeError(`${option}.alpnProtocol must be the name of a protocol (RFC 7301)`);
  }
  if (!(issuedAt >= 0 && expiresAt > issuedAt)) {
    throw new RangeError(`${option}: expiresAt must be later than issuedAt, both in milliseconds since 1970`);
  }
}

/** RFC 9258 §5.1; HKDF_SHA256 and HKDF_SHA384 of the registry "TLS KDF Identifiers". */
const kdfs = { sha256: 0x0001, sha384: 0x0002 } as const satisfies Record<HashName, number>;
const longestExternalIdentity = 65_000;
const noBytes = new Uint8Array(0);

function identityFor({ externalIdentity, context = noBytes }: PskToImport, hash: HashName): Uint8Array {
  return encode(importedIdentity, {
    externalIdentity,
    context,
    targetProtocol: protocolVersions.tls13,
    targetKdf: kdfs[hash],
  });
}

/** RFC 9258 §5.1: ipskx, of the length that the target's hash has. */
function importedKey(psk: PskToImport, target: HashName, provider: CryptoProvider): Uint8Array {
  const hash = provider.hash(psk.hash ?? 'sha256');
  const extracted = hkdfExtract(hash, noBytes, psk.key);
  const identityHash = hash.digest(identityFor(psk, target));
  const key = hkdfExpandLabel(hash, extracted, 'derived psk', identityHash, provider.hash(target).length);
  extracted.fill(0);
  return key;
}
