/** Arbitrary bytes into every decoder: a value, or the error that goes with it, and never anything else. */
import * as fc from 'fast-check';
import { TlsError } from '../../packages/tls13-core/src/alert.js';
import { concat } from '../../packages/tls13-core/src/bytes.js';
import { readClientHello } from '../../packages/tls13-core/src/client-hello-reader.js';
import { nobleProvider } from '../../packages/tls13-core/src/crypto/noble.js';
import { isPublicName, selectEchConfig } from '../../packages/tls13-core/src/ech/config.js';
import { generateEchConfig } from '../../packages/tls13-core/src/ech/generate.js';
import { importPsk, parseImportedIdentity } from '../../packages/tls13-core/src/external-psk.js';
import { decodeTicket } from '../../packages/tls13-core/src/handshake/server/ticket.js';
import { ja4 } from '../../packages/tls13-core/src/ja4.js';
import { Deframer } from '../../packages/tls13-core/src/record/deframer.js';
import { fragmentOf, portableRecordProtection } from '../../packages/tls13-core/src/record/protection.js';
import { parseSession, serializeSession } from '../../packages/tls13-core/src/session.js';
import { createTicketKeys } from '../../packages/tls13-core/src/ticket-keys.js';
import { decodeEchConfigList, encodeEchConfig } from '../../packages/tls13-core/src/wire/ech.js';
import {
  decodeAlert,
  decodeCertificateStatus,
  decodeDelegatedCredential,
  decodeHandshake,
  encodeDelegatedCredential,
} from '../../packages/tls13-core/src/wire/index.js';
import { matchesOidFilters, oidFiltersReceived } from '../../packages/tls13-core/src/x509/oid-filters.js';
import { identity, keyKinds } from '../../packages/tls13-core/test/engine/support/certificates.js';
import { delegatedCredential } from '../../packages/tls13-core/test/engine/support/delegation.js';
import { cut, cuts, edited, edits, messageLike, octets, recordLike } from '../support/arbitraries.js';
import { property } from '../support/property.js';
import { fastProvider } from '../support/providers.js';
import { validMessages } from '../support/valid-messages.js';

/** The peer's fault, with one of these alerts. */
function decodes(alerts: readonly string[], run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (error instanceof TlsError && alerts.includes(error.alert)) return;
    throw error;
  }
}

const syntax = ['decode_error', 'illegal_parameter', 'unexpected_message'];

function handshakeDecodes(bytes: Uint8Array): void {
  const before = bytes.slice();
  decodes(syntax, () => decodeHandshake(bytes));
  decodes(syntax, () => decodeHandshake(bytes, { hashLength: 32 }));
  if (!before.every((byte, index) => byte === bytes[index])) throw new Error('decoding wrote into what came');
}

const sessions = validMessages.map(({ bytes }, index) =>
  serializeSession({
    cipherSuite: index % 2 === 0 ? 'TLS_AES_128_GCM_SHA256' : 'TLS_AES_256_GCM_SHA384',
    ticket: bytes,
    psk: new Uint8Array(index % 2 === 0 ? 32 : 48).fill(7),
    lifetime: 7_200,
    ageAdd: index,
    receivedAt: 1_700_000_000_000 + index,
    serverName: index % 3 === 0 ? undefined : 'example.test',
    alpnProtocol: index % 3 === 1 ? undefined : 'h2',
    peerCertificates: [identity('ed25519').certificate],
    maxEarlyData: index * 1_000,
    pskIdentity: index % 5 === 0 ? Uint8Array.of(1, index) : undefined,
    localCertificate: index % 5 === 1 ? Uint8Array.of(0x30, index) : undefined,
    peerRawPublicKey: index % 4 === 0 ? Uint8Array.of(0x30, index) : undefined,
    ocspResponse: index % 4 === 1 ? Uint8Array.of(0x30, index) : undefined,
    signedCertificateTimestamps: index % 4 === 1 ? [Uint8Array.of(0, index)] : [],
  }),
);

const clientHellos = validMessages.filter(({ type }) => type === 'client_hello').map(({ bytes }) => bytes);

/** A message in records that are cut anywhere. */
function inRecords(message: Uint8Array, sizes: readonly number[]): Uint8Array {
  const records = cut(message, sizes).map((part) => part.subarray(0, 16_384));
  return concat(...records.map((part) => Uint8Array.from([22, 3, 1, part.length >> 8, part.length & 255, ...part])));
}

const echConfigLists = [7, 255].map(
  (configId) => generateEchConfig(fastProvider, { publicName: 'public.example', configId }).configList,
);
const delegation = delegatedCredential().delegatedCredential ?? new Uint8Array(0);
const [imported] = importPsk(fastProvider, {
  externalIdentity: Uint8Array.of(1, 2, 3),
  key: new Uint8Array(32),
  context: Uint8Array.of(4, 5),
});
const importedIdentity = imported?.identity ?? new Uint8Array(0);

const certificates = keyKinds.map((kind) => identity(kind).certificate);
const ticketKeys = createTicketKeys(fastProvider);
const portable = portableRecordProtection(fastProvider);
const keys = { aead: 'aes-128-gcm', key: new Uint8Array(16), iv: new Uint8Array(12), sequenceNumber: 0n } as const;

export const decoderProperties = [
  property('decoders take any bytes', 2_000, fc.oneof(octets(0, 100), messageLike), (bytes) => {
    handshakeDecodes(bytes);
    decodes(syntax, () => decodeAlert(bytes));
    decodes(syntax, () => decodeCertificateStatus(bytes));
    fragmentOf(bytes);
    decodeTicket(bytes);
    decodeTicket(Uint8Array.of(3, ...bytes));
    if (ticketKeys.unprotect(bytes) !== undefined) throw new Error('a ticket that nobody sealed was opened');
  }),
  property(
    'a ClientHello that is looked at first is one, or more is wanted, or a fault of the peer',
    1_000,
    fc.oneof(
      octets(0, 200),
      fc.array(recordLike, { minLength: 1, maxLength: 4 }).map((records) => concat(...records)),
      fc
        .tuple(fc.constantFrom(...clientHellos), fc.option(edits), cuts)
        .map(([hello, changes, sizes]) => inRecords(edited(hello, changes ?? []), sizes)),
    ),
    (bytes) => {
      decodes([...syntax, 'record_overflow', 'protocol_version'], () => {
        const read = readClientHello(bytes);
        if ('wanted' in read) {
          if (read.wanted <= bytes.length) throw new Error(`${read.wanted} bytes are wanted of ${bytes.length}`);
          return;
        }
        const fingerprint = ja4(read.hello, fastProvider);
        if (!/^t(?:1[0-3]|s[23]|00)[di]\d{4}.{2}_[0-9a-f]{12}_[0-9a-f]{12}$/s.test(fingerprint)) {
          throw new Error(`${fingerprint} is no JA4`);
        }
      });
    },
  ),
  property(
    'a damaged ECHConfigList is one, or no client takes it',
    1_000,
    fc.tuple(fc.constantFrom(...echConfigLists), edits),
    ([list, changes]) => {
      const damaged = edited(list, changes);
      decodes(['decode_error'], () => {
        for (const { bytes, contents } of decodeEchConfigList(damaged)) {
          if (contents !== undefined && Buffer.compare(encodeEchConfig(contents), bytes) !== 0) {
            throw new Error('a config is not what it was read as');
          }
        }
        const usable = selectEchConfig(damaged, fastProvider);
        if (usable !== undefined && !isPublicName(usable.contents.publicName)) throw new Error('that is no name');
      });
    },
  ),
  property(
    'a damaged delegated credential is refused, or says the same again',
    600,
    fc.tuple(fc.constant(delegation), edits),
    ([bytes, changes]) => {
      const damaged = edited(bytes, changes);
      decodes(['decode_error'], () => {
        if (Buffer.compare(encodeDelegatedCredential(decodeDelegatedCredential(damaged)), damaged) !== 0) {
          throw new Error('it says something else');
        }
      });
    },
  ),
  property(
    'identities and filters of any bytes are read or passed over',
    1_000,
    fc.tuple(octets(0, 60), edits),
    ([bytes, changes]) => {
      parseImportedIdentity(bytes);
      parseImportedIdentity(edited(importedIdentity, changes));
      const filters = [{ certificateExtensionOid: bytes, certificateExtensionValues: edited(bytes, changes) }];
      decodes(syntax, () => {
        for (const certificate of certificates) matchesOidFilters(certificate, oidFiltersReceived(filters));
      });
    },
  ),
  property(
    'decoders take damaged messages',
    1_500,
    fc.tuple(fc.constantFrom(...validMessages), edits),
    ([{ bytes }, changes]) => handshakeDecodes(edited(bytes, changes)),
  ),
  property(
    'a damaged session is refused with a TypeError or is a session',
    1_000,
    fc.tuple(fc.constantFrom(...sessions), edits),
    ([bytes, changes]) => {
      try {
        serializeSession(parseSession(edited(bytes, changes)));
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
      }
    },
  ),
  property(
    'a damaged certificate has a key or a certificate alert, by either provider',
    600,
    fc.tuple(fc.constantFrom(...certificates), edits, fc.constantFrom(fastProvider, nobleProvider)),
    ([certificate, changes, provider]) => {
      const alerts = ['bad_certificate', 'unsupported_certificate'];
      decodes(alerts, () => {
        const key = provider.certificateKey(edited(certificate, changes));
        for (const scheme of key.schemes) key.verify(scheme, certificate, certificate.subarray(0, 64));
      });
    },
  ),
  property(
    'a deframer gives the records that came, or refuses a header',
    1_000,
    fc.tuple(fc.array(recordLike, { maxLength: 6 }), fc.integer({ min: 1, max: 40 })),
    ([records, size]) => {
      const deframer = new Deframer();
      const stream = Buffer.concat(records);
      let given = 0;
      decodes(['unexpected_message', 'record_overflow', 'protocol_version'], () => {
        for (let at = 0; at < stream.length; at += size) {
          deframer.push(stream.subarray(at, at + size));
          for (let run = deframer.next(); run !== undefined; run = deframer.next()) {
            if (!Buffer.from(run.records).equals(stream.subarray(given, given + run.records.length))) {
              throw new Error('records came out that did not go in');
            }
            given += run.records.length;
          }
          if (deframer.buffered !== Math.min(at + size, stream.length) - given) throw new Error('bytes were lost');
        }
      });
    },
  ),
  property('an opener takes any records', 1_000, fc.array(octets(0, 100), { maxLength: 4 }), (contents) => {
    const records = Buffer.concat(contents.map((content) => Buffer.from([23, 3, 3, 0, content.length, ...content])));
    for (const protection of [portable, fastProvider.recordProtection ?? portable]) {
      const { count, consumed, failure } = protection.opener(keys).open(records);
      if (count !== 0 || consumed !== 0) throw new Error('a record that nobody sealed was opened');
      if (failure !== (records.length === 0 ? undefined : 'bad_record_mac')) throw new Error(`it failed by ${failure}`);
    }
  }),
];
