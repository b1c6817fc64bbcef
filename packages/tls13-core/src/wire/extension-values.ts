/** The bodies of the extensions, one codec each: §4.3.1 to §4.3.11, RFC 6066, RFC 7301, RFC 8449. */
import {
  type Codec,
  type Decoded,
  empty,
  octetString,
  opaque,
  rest,
  struct,
  uint8,
  uint16,
  uint32,
  vector,
} from './codec.js';

/** An extension with no content; its presence reads as `true`. */
export const present = empty;

/** A body that this library passes on as it is. */
export const uninterpreted = rest;

/** §4.3.1, ClientHello */
export const supportedVersions = vector(uint16, 2, 254);
/** §4.3.1, ServerHello and HelloRetryRequest */
export const selectedVersion = uint16;

/** §4.3.2 */
export const cookie = opaque(1, 2 ** 16 - 1);

/** §4.3.3, signature_algorithms and signature_algorithms_cert */
export const signatureSchemeList = vector(uint16, 2, 2 ** 16 - 2);

/** §4.3.4: DER distinguished names */
export const certificateAuthorities = vector(opaque(1, 2 ** 16 - 1), 3, 2 ** 16 - 1);

/** §4.3.5 */
export const oidFilters = vector(
  struct({ certificateExtensionOid: opaque(1, 2 ** 8 - 1), certificateExtensionValues: opaque(0, 2 ** 16 - 1) }),
  0,
  2 ** 16 - 1,
);

/** §4.3.7 */
export const namedGroupList = vector(uint16, 2, 2 ** 16 - 1);

/** §4.3.8 */
export const keyShareEntry = struct({ group: uint16, keyExchange: opaque(1, 2 ** 16 - 1) });
export type KeyShareEntry = Decoded<typeof keyShareEntry>;
/** §4.3.8, ClientHello */
export const clientShares = vector(keyShareEntry, 0, 2 ** 16 - 1);
/** §4.3.8, HelloRetryRequest */
export const selectedGroup = uint16;

/** §4.3.9 */
export const pskKeyExchangeModes = vector(uint8, 1, 255);

/** draft-ietf-tls-tlsflags §2: the numbers of the flags that are set, in order. */
export const tlsFlags: Codec<readonly number[]> = {
  read(reader) {
    const flags = flagBytes.read(reader);
    if (flags.at(-1) === 0) throw reader.error('illegal_parameter', 'its last byte holds no flag');
    return Array.from(flags, (byte, index) => bitsOf(byte).map((bit) => index * 8 + bit)).flat();
  },
  write(writer, numbers) {
    const flags = new Uint8Array(Math.floor(Math.max(...numbers) / 8) + 1);
    for (const number of numbers) flags[number >> 3] = (flags[number >> 3] ?? 0) | (1 << (number & 7));
    flagBytes.write(writer, flags);
  },
};

const flagBytes = opaque(1, 255);
const bitsOf = (byte: number) => [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (byte >> bit) & 1);

/** §4.3.10, NewSessionTicket */
export const maxEarlyDataSize = uint32;

/** RFC 9149 §2, ClientHello */
export const ticketRequest = struct({ newSessionCount: uint8, resumptionCount: uint8 });
/** RFC 9149 §2, EncryptedExtensions */
export const expectedTickets = uint8;

const pskIdentity = struct({ identity: opaque(1, 2 ** 16 - 1), obfuscatedTicketAge: uint32 });
export type PskIdentity = Decoded<typeof pskIdentity>;

/** The end of a ClientHello that its binders do not cover (§4.3.11.2): <32..255> each, which the server checks. */
export const pskBinders = vector(opaque(0, 255), 1, 2 ** 16 - 1);

const offeredPsksFields = struct({ identities: vector(pskIdentity, 7, 2 ** 16 - 1), binders: pskBinders });
export type OfferedPsks = Decoded<typeof offeredPsksFields>;

/** §4.3.11, ClientHello. What is read has one binder for each identity. */
export const offeredPsks: Codec<OfferedPsks> = {
  read(reader) {
    const offered = offeredPsksFields.read(reader);
    const { identities, binders } = offered;
    if (identities.length !== binders.length) {
      throw reader.error('illegal_parameter', `${binders.length} binders for ${identities.length} identities`);
    }
    return offered;
  },
  write: (writer, value) => offeredPsksFields.write(writer, value),
};
/** §4.3.11, ServerHello */
export const selectedIdentity = uint16;

const hostNameType = 0;
const serverNameList = vector(struct({ nameType: uint8, name: octetString(1, 2 ** 16 - 1) }), 1, 2 ** 16 - 1);

/** RFC 6066 §3: the one host_name of the list; `undefined` when there are only names of other types, which are ignored. */
export const serverName: Codec<string | undefined, string> = {
  read(reader) {
    const names = serverNameList.read(reader).filter(({ nameType }) => nameType === hostNameType);
    const [first] = names;
    if (names.length > 1) throw reader.error('illegal_parameter', `${names.length} host names where one is allowed`);
    // A NUL or a control character in a name has fooled comparisons before; a host name has none.
    if (first !== undefined && /[^!-~]/.test(first.name)) {
      throw reader.error('illegal_parameter', `host name ${JSON.stringify(first.name)} is not printable ASCII`);
    }
    return first?.name;
  },
  write: (writer, name) => serverNameList.write(writer, [{ nameType: hostNameType, name }]),
};

/** RFC 7301 §3.1, ClientHello: names of one character per byte. */
export const protocolNameList = vector(octetString(1, 2 ** 8 - 1), 2, 2 ** 16 - 1);

/** RFC 7301 §3.1, EncryptedExtensions: a list of exactly one name. */
export const selectedProtocol: Codec<string> = {
  read(reader) {
    const names = protocolNameList.read(reader);
    const [name] = names;
    if (name === undefined || names.length > 1) {
      throw reader.error('illegal_parameter', `${names.length} protocol names where exactly one is allowed`);
    }
    return name;
  },
  write: (writer, name) => protocolNameList.write(writer, [name]),
};

const smallestRecordSizeLimit = 64;

/** RFC 8449 §4: bytes of TLSInnerPlaintext. */
export const recordSizeLimit: Codec<number> = {
  read(reader) {
    const limit = uint16.read(reader);
    if (limit < smallestRecordSizeLimit) {
      throw reader.error('illegal_parameter', `${limit} where at least ${smallestRecordSizeLimit} is allowed`);
    }
    return limit;
  },
  write: (writer, limit) => uint16.write(writer, limit),
};

/**
 * RFC 7250 §3, ClientHello. A list without any type, or with X.509 alone, where the extension is to be left out, is
 * refused.
 */
export const certificateTypeList: Codec<readonly number[]> = {
  read(reader) {
    const types = typeList.read(reader);
    if (types.every((type) => type === 0)) {
      throw reader.error('illegal_parameter', 'no certificate type but the default, for which it must be left out');
    }
    return types;
  },
  write: (writer, types) => typeList.write(writer, types),
};
const typeList = vector(uint8, 0, 2 ** 8 - 1);
/** RFC 7250 §3, EncryptedExtensions */
export const selectedCertificateType = uint8;

/** RFC 8879 §3, compress_certificate: each algorithm once. */
export const certificateCompressionList: Codec<readonly number[]> = {
  read(reader) {
    const algorithms = algorithmList.read(reader);
    if (new Set(algorithms).size < algorithms.length)
      throw reader.error('illegal_parameter', 'an algorithm stands twice');
    return algorithms;
  },
  write: (writer, algorithms) => algorithmList.write(writer, algorithms),
};
const algorithmList = vector(uint16, 2, 2 ** 8 - 2);

/** RFC 6962 §3.3, a Certificate's signed_certificate_timestamp: each SCT as its log made it. */
export const signedCertificateTimestampList = vector(opaque(1, 2 ** 16 - 1), 1, 2 ** 16 - 1);

/** RFC 6066 §8, the body of a Certificate's status_request (§4.5.1.1): statusType 1 is ocsp. */
export const certificateStatus = struct({ statusType: uint8, response: opaque(1, 2 ** 24 - 1) });
export type CertificateStatus = Decoded<typeof certificateStatus>;
