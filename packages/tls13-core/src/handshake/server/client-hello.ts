/** Checks a ClientHello by itself (§4.2.2, §4.3, §9.2), before anything is negotiated: what comes out can be relied on. */
import { TlsError } from '../../alert.js';
import type { Deviations } from '../../config/index.js';
import { type extensionTypes, namedGroups, nameOf, protocolVersions } from '../../registry.js';
import { type ClientHello, type KeyShareEntry, truncateClientHello } from '../../wire/index.js';
import { type EchOutcome, echAbsent } from '../ech/open.js';
import type { MessageOf } from '../step.js';

/** What a client offers: absent lists are empty. */
export interface Offer {
  readonly hello: ClientHello;
  /** The message as it came, header included. */
  readonly bytes: Uint8Array;
  readonly serverName: string | undefined;
  readonly alpnProtocols: readonly string[];
  readonly groups: readonly number[];
  /** Of groups among `groups`, each at most once. */
  readonly keyShares: readonly KeyShareEntry[];
  readonly signatureSchemes: readonly number[];
  readonly cookie: Uint8Array | undefined;
  readonly earlyData: boolean;
  /** §4.3.9: how the client would use a PSK or, later, a ticket. */
  readonly pskModes: readonly number[];
  readonly psks: readonly OfferedPsk[];
  /** What the binders cover (§4.3.11.2); all of the message when there are none. */
  readonly truncated: Uint8Array;
  /** When accepted, this is the inner ClientHello. */
  readonly ech: EchOutcome;
}

export interface OfferedPsk {
  readonly identity: Uint8Array;
  readonly obfuscatedTicketAge: number;
  readonly binder: Uint8Array;
}

/** Throws TlsError with the alert that the section named in its message demands. */
export function checkClientHello(
  { body: hello, bytes }: MessageOf<'client_hello'>,
  deviations: Pick<Deviations, 'anyLegacyVersion' | 'shortBinders'>,
  ech = echAbsent,
): Offer {
  checkVersion(hello, deviations.anyLegacyVersion);
  checkCompression(hello);
  checkRequiredExtensions(hello);
  const { extensions } = hello;
  if (!deviations.shortBinders) checkBinderLengths(hello);
  const groups = extensions.supportedGroups ?? [];
  const keyShares = extensions.keyShare ?? [];
  checkKeyShares(keyShares, groupPositions(groups));
  return {
    hello,
    bytes,
    serverName: extensions.serverName,
    alpnProtocols: extensions.alpn ?? [],
    groups,
    keyShares,
    signatureSchemes: extensions.signatureAlgorithms ?? [],
    cookie: extensions.cookie,
    earlyData: extensions.earlyData === true,
    pskModes: extensions.pskKeyExchangeModes ?? [],
    psks: offeredPsks(hello),
    truncated: truncated(hello, bytes),
    ech,
  };
}

function checkVersion({ legacyVersion, extensions }: ClientHello, anyLegacyVersion: boolean): void {
  const { supportedVersions } = extensions;
  if (supportedVersions === undefined || !supportedVersions.includes(protocolVersions.tls13)) {
    const offered = supportedVersions ?? [legacyVersion];
    throw new TlsError(
      'protocol_version',
      `the client offers ${offered.map(versionName).join(', ')}; wanted is TLS 1.3 in supported_versions (§4.3.1)`,
    );
  }
  if (legacyVersion !== protocolVersions.tls12 && !anyLegacyVersion) {
    throw new TlsError(
      'protocol_version',
      `legacy_version is ${versionName(legacyVersion)}; it must be 0x0303 (§4.2.2)`,
    );
  }
}

function checkCompression({ legacyCompressionMethods: methods }: ClientHello): void {
  if (methods.length !== 1 || methods[0] !== 0) {
    throw new TlsError(
      'illegal_parameter',
      `legacy_compression_methods is ${methods.join(', ')}; it must be null (0) alone (§4.2.2)`,
    );
  }
}

function checkRequiredExtensions({ extensions }: ClientHello): void {
  const { preSharedKey, signatureAlgorithms, supportedGroups, keyShare, pskKeyExchangeModes: modes } = extensions;
  if (preSharedKey === undefined) {
    if (signatureAlgorithms === undefined) throw missing('signature_algorithms', 'pre_shared_key is not there either');
    if (supportedGroups === undefined) throw missing('supported_groups', 'pre_shared_key is not there either');
  } else if (modes === undefined) {
    throw missing('psk_key_exchange_modes', 'pre_shared_key is there');
  }
  if (supportedGroups === undefined && keyShare !== undefined) throw missing('supported_groups', 'key_share is there');
  if (supportedGroups !== undefined && keyShare === undefined) throw missing('key_share', 'supported_groups is there');
}

function missing(name: keyof typeof extensionTypes, reason: string): TlsError {
  return new TlsError('missing_extension', `ClientHello without ${name}, although ${reason} (§4.3, §9.2)`);
}

/** Where each group stands in the client's order: a map, as the list may hold thousands. */
function groupPositions(groups: readonly number[]): ReadonlyMap<number, number> {
  const positions = new Map<number, number>();
  for (const group of groups) {
    if (positions.has(group)) {
      throw new TlsError('illegal_parameter', `supported_groups names ${nameOf(namedGroups, group)} twice (§4.3.7)`);
    }
    positions.set(group, positions.size);
  }
  return positions;
}

/** Each share's group is among the supported ones, once, and in the same order (§4.3.8). */
function checkKeyShares(shares: readonly KeyShareEntry[], positions: ReadonlyMap<number, number>): void {
  let last = -1;
  for (const { group } of shares) {
    const position = positions.get(group);
    if (position === undefined) {
      throw new TlsError(
        'illegal_parameter',
        `key_share holds ${nameOf(namedGroups, group)}, which is not in supported_groups (§4.3.8)`,
      );
    }
    if (position <= last) {
      throw new TlsError(
        'illegal_parameter',
        `key_share holds ${nameOf(namedGroups, group)} twice, or not in the order of supported_groups (§4.3.8)`,
      );
    }
    last = position;
  }
}

/** §4.3.11: a PskBinderEntry has 32 to 255 bytes. */
function checkBinderLengths({ extensions }: ClientHello): void {
  const short = extensions.preSharedKey?.binders.find((binder) => binder.length < 32);
  if (short !== undefined) {
    throw new TlsError('decode_error', `a binder of ${short.length} bytes where 32 to 255 are allowed (§4.3.11)`);
  }
}

/** Decoding has seen to it that there is a binder for each identity. */
function offeredPsks({ extensions }: ClientHello): readonly OfferedPsk[] {
  const { identities, binders } = extensions.preSharedKey ?? { identities: [], binders: [] };
  return identities.flatMap(({ identity, obfuscatedTicketAge }, index) => {
    const binder = binders[index];
    return binder === undefined ? [] : [{ identity, obfuscatedTicketAge, binder }];
  });
}

function truncated({ extensions }: ClientHello, bytes: Uint8Array): Uint8Array {
  return extensions.preSharedKey === undefined ? bytes : truncateClientHello(bytes, extensions.preSharedKey.binders);
}

function versionName(version: number): string {
  return nameOf(protocolVersions, version);
}
