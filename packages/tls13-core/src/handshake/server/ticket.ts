/** What a ticket holds (§4.7.1): all that a later connection must know of this one, sealed and given to the client. */
import { TlsError } from '../../alert.js';
import { type Awaitable, allKnown, whenKnown } from '../../awaitable.js';
import type { ConnectionInfo } from '../../connection-info.js';
import type { CryptoProvider } from '../../crypto/provider.js';
import { cipherSuite } from '../../crypto/suites.js';
import { resumptionPsk, type Secret } from '../../keys/schedule.js';
import {
  type CertificateTypeName,
  type CipherSuiteName,
  certificateTypes,
  cipherSuites,
  tlsFlags,
} from '../../registry.js';
import { issuerLength } from '../../settings/early-data.js';
import {
  decode,
  encode,
  enumerated,
  octetString,
  opaque,
  struct,
  uint8,
  uint16,
  uint32,
  vector,
} from '../../wire/codec.js';
import { encodeMessage } from '../../wire/index.js';
import { Reader } from '../../wire/reader.js';
import { chooseGrease, greaseExtension } from '../grease.js';
import { type CertificateHash, keptHash } from './certificate-hash.js';
import type { ServerContext, TicketTerms } from './states.js';
import { seconds } from './time.js';

export interface Ticket {
  readonly cipherSuite: CipherSuiteName;
  readonly psk: Uint8Array;
  /** Seconds since 1970. */
  readonly issuedAt: number;
  /** Behind `issuedAt`, 0 to 999. */
  readonly issuedAtMilliseconds: number;
  /** Seconds since 1970, of the full handshake at the beginning of the chain of resumptions. */
  readonly authenticatedAt: number;
  /** Seconds. */
  readonly lifetime: number;
  readonly ageAdd: number;
  /** Bytes of early data that it permits; 0 for none (§4.3.10). */
  readonly maxEarlyData: number;
  /** Of the replay cache that knows whether its early data has been taken; empty for one that is shared (§8). */
  readonly earlyDataIssuer: Uint8Array;
  readonly serverName: string | undefined;
  readonly alpnProtocol: string | undefined;
  /** DER, leaf first; empty when the client showed none, and where their hash is kept in their place. */
  readonly clientCertificates: readonly Uint8Array[];
  readonly clientCertificateHash: CertificateHash | undefined;
  /** DER SubjectPublicKeyInfo that it showed instead (RFC 7250). */
  readonly clientRawPublicKey: Uint8Array | undefined;
  /** What the server showed in the full handshake. */
  readonly serverCertificateType: CertificateTypeName;
  /** On the wire, of the external PSK that authenticated the full handshake. */
  readonly pskIdentity: Uint8Array | undefined;
}

/**
 * Seconds from a full handshake to the last connection that resumes it, however many tickets there were in between
 * (§4.7.1 recommends a limit).
 */
export const longestChain = 604_800;

/** What the tickets of a connection are made of. */
export interface TicketSource {
  /** resumption_secret (§7.1) */
  readonly secret: Secret;
  readonly terms: TicketTerms;
  /** As it is reported. */
  readonly info: ConnectionInfo;
  /** Of this connection, so far: each has a nonce of its own. */
  readonly sent: number;
}

/** NewSessionTicket messages, ready to send, and what the next ones are made of. */
export function ticketsFor(
  source: TicketSource,
  context: ServerContext,
): Awaitable<{ readonly messages: readonly Uint8Array[]; readonly tickets: TicketSource }> {
  const { secret, terms, info, sent } = source;
  const tickets = { secret, terms, info, sent: sent + terms.count };
  if (tickets.sent > mostNonces) return { messages: [], tickets: source };
  return whenKnown(newSessionTickets(tickets, sent, context), (messages) => ({ messages, tickets }));
}

function newSessionTickets(
  { secret, terms, info }: TicketSource,
  firstNonce: number,
  { settings }: ServerContext,
): Awaitable<readonly Uint8Array[]> {
  const { tickets, provider } = settings;
  if (tickets === undefined) return [];
  const now = settings.now();
  const issuedAt = seconds(now);
  const maxEarlyData = settings.earlyData?.maxSize ?? 0;
  const { authenticatedAt, pskIdentity, serverCertificateType, count } = terms;
  const clientCertificateHash = keptHash(info, terms, settings);
  const end = Math.min(authenticatedAt + longestChain, clientCertificateHash?.notAfter ?? Number.POSITIVE_INFINITY);
  const lifetime = Math.min(tickets.lifetime, end - issuedAt);
  // What a stranger makes a server keep is bounded: what is longer is no host name, and its sessions are not resumed.
  const nameLength = info.serverName?.length ?? 0;
  if (lifetime <= 0 || nameLength > longestServerName) return [];
  const hash = provider.hash(cipherSuite(info.cipherSuite).hash);
  const flags = tickets.acrossNames ? [tlsFlags.resumption_across_names] : undefined;
  const extra = greaseExtension(settings.grease ? chooseGrease(provider) : undefined);
  const draft = (nonce: number) => {
    const ticketNonce = Uint8Array.of(nonce);
    const ticket: Ticket = {
      cipherSuite: info.cipherSuite,
      psk: resumptionPsk(hash, secret, ticketNonce),
      issuedAt,
      issuedAtMilliseconds: Math.floor(now) - issuedAt * 1000,
      authenticatedAt,
      lifetime,
      ageAdd: randomUint32(provider),
      maxEarlyData,
      earlyDataIssuer: settings.earlyData?.issuer ?? noBytes,
      serverName: info.serverName,
      alpnProtocol: info.alpnProtocol,
      clientCertificates: clientCertificateHash === undefined ? info.peerCertificates : [],
      clientCertificateHash,
      clientRawPublicKey: info.peerRawPublicKey,
      serverCertificateType,
      pskIdentity,
    };
    const state = encodeTicket(ticket);
    ticket.psk.fill(0);
    return whenKnown(tickets.keep(state, lifetime), (kept) => ({ ticketNonce, ageAdd: ticket.ageAdd, kept }));
  };
  const drafts: ReturnType<typeof draft>[] = [];
  for (let index = 0; index < count; index++) drafts.push(draft(firstNonce + index));
  return whenKnown(allKnown(drafts), (made) =>
    made.flatMap(({ ticketNonce, ageAdd, kept }) => {
      // A client's chain may be longer than any ticket can be; then this connection is not resumed.
      if (kept === undefined || kept.length > mostBytes) return [];
      const extensions = { flags, earlyData: maxEarlyData === 0 ? undefined : maxEarlyData, extra };
      const body = { ticketLifetime: lifetime, ticketAgeAdd: ageAdd, ticketNonce, ticket: kept, extensions };
      return [encodeMessage('new_session_ticket', body)];
    }),
  );
}

export function encodeTicket(ticket: Ticket): Uint8Array {
  // One by one: a spread of so many fields costs an engine more than all the rest of a ticket.
  return encode(ticketState, {
    kind,
    cipherSuite: ticket.cipherSuite,
    psk: ticket.psk,
    issuedAt: ticket.issuedAt,
    issuedAtMilliseconds: ticket.issuedAtMilliseconds,
    authenticatedAt: ticket.authenticatedAt,
    lifetime: ticket.lifetime,
    ageAdd: ticket.ageAdd,
    maxEarlyData: ticket.maxEarlyData,
    earlyDataIssuer: ticket.earlyDataIssuer,
    serverName: ticket.serverName ?? absent,
    alpnProtocol: ticket.alpnProtocol ?? absent,
    clientCertificates: ticket.clientCertificates,
    clientCertificateSha256: ticket.clientCertificateHash?.sha256 ?? noBytes,
    clientCertificateNotAfter: ticket.clientCertificateHash?.notAfter ?? 0,
    pskIdentity: ticket.pskIdentity ?? noBytes,
    clientRawPublicKey: ticket.clientRawPublicKey ?? noBytes,
    serverCertificateType: ticket.serverCertificateType,
  });
}

/** `undefined` for anything but what `encodeTicket` of this version made. */
export function decodeTicket(state: Uint8Array): Ticket | undefined {
  // One protector may serve cookies too: the first byte tells the two apart.
  if (state[0] !== kind) return undefined;
  try {
    const read = decode(ticketState, state, 'ticket');
    const { serverName, alpnProtocol, pskIdentity, clientRawPublicKey } = read;
    const { clientCertificateSha256: sha256, clientCertificateNotAfter: notAfter } = read;
    // One by one, as it is written.
    return {
      cipherSuite: read.cipherSuite,
      psk: read.psk,
      issuedAt: read.issuedAt,
      issuedAtMilliseconds: read.issuedAtMilliseconds,
      authenticatedAt: read.authenticatedAt,
      lifetime: read.lifetime,
      ageAdd: read.ageAdd,
      maxEarlyData: read.maxEarlyData,
      earlyDataIssuer: read.earlyDataIssuer,
      serverName: serverName === absent ? undefined : serverName,
      alpnProtocol: alpnProtocol === absent ? undefined : alpnProtocol,
      clientCertificates: read.clientCertificates,
      clientCertificateHash: sha256.length === 0 ? undefined : { sha256, notAfter },
      clientRawPublicKey: clientRawPublicKey.length === 0 ? undefined : clientRawPublicKey,
      serverCertificateType: read.serverCertificateType,
      pskIdentity: pskIdentity.length === 0 ? undefined : pskIdentity,
    };
  } catch (error) {
    // A ticket is only an offer: whatever cannot be read is passed over (§4.3.11).
    if (error instanceof TlsError) return undefined;
    throw error;
  }
}

/** Version 3 of a ticket's state. */
const kind = 0x03;
/** Neither a server name nor a protocol name can be empty. */
const absent = '';
const noBytes = new Uint8Array(0);
const mostBytes = 2 ** 16 - 1;
/** Of one byte. */
const mostNonces = 256;
/** Bytes of a host name (RFC 1035 §2.3.4). */
const longestServerName = 255;

const ticketState = struct({
  kind: uint8,
  cipherSuite: enumerated(uint16, cipherSuites),
  psk: opaque(32, 48),
  issuedAt: uint32,
  issuedAtMilliseconds: uint16,
  authenticatedAt: uint32,
  lifetime: uint32,
  ageAdd: uint32,
  maxEarlyData: uint32,
  earlyDataIssuer: opaque(0, issuerLength),
  serverName: octetString(0, 2 ** 16 - 1),
  alpnProtocol: octetString(0, 2 ** 8 - 1),
  clientCertificates: vector(opaque(1, 2 ** 24 - 1), 0, 2 ** 24 - 1),
  clientCertificateSha256: opaque(0, 32),
  clientCertificateNotAfter: uint32,
  pskIdentity: opaque(0, 2 ** 16 - 1),
  clientRawPublicKey: opaque(0, 2 ** 16 - 1),
  serverCertificateType: enumerated(uint8, certificateTypes),
});

function randomUint32(provider: CryptoProvider): number {
  return new Reader(provider.random(4), 'random').uint(4);
}
