/**
 * The trace of RFC 8448 §4, a resumption with early data, for both roles: every record that we send is the trace's, byte
 * for byte. As in traces.test.ts the hellos and EncryptedExtensions are the trace's own.
 */
import { describe, expect, it, vi } from 'vitest';
import { toHex } from '../../../../test/vectors/hex.js';
import { valueIn } from '../../../../test/vectors/rfc8448.js';
import { createClientEngine, createServerEngine } from '../../src/engine/index.js';
import type { TlsEngine } from '../../src/engine/types.js';
import type { TlsEvent } from '../../src/events.js';
import { encodeTicket } from '../../src/handshake/server/ticket.js';
import type { Session } from '../../src/session.js';
import { decodeHandshake } from '../../src/wire/index.js';
import { replay, secretsIn, secretsOf, Trace, tracedProvider } from './replay.js';
import { setScript } from './script.js';

vi.mock('../../src/wire/index.js', async (importOriginal) => {
  const { scriptedWire } = await import('./script.js');
  return scriptedWire(await importOriginal());
});

const first = new Trace('simple-1-rtt');
const trace = new Trace('resumed-0-rtt');
const now = 1_500_000_000_000;

/** The ClientHello as it went out, and as it was before its binder was made. */
const [clientHello = new Uint8Array(0)] = trace.clientHellos();
const withoutBinder = clientHello.slice().fill(0, clientHello.length - 32);
const offered = decodeHandshake(clientHello);
const ticketMessage = decodeHandshake(first.message('NewSessionTicket', 'server'));
if (offered.type !== 'client_hello' || ticketMessage.type !== 'new_session_ticket') throw new Error('not the trace');
const hello = offered.body;
const serverHello = decodeHandshake(trace.message('ServerHello', 'server'));
if (serverHello.type !== 'server_hello') throw new Error('not the trace');
const { ticket, ticketLifetime, ticketAgeAdd } = ticketMessage.body;

const session: Session = {
  cipherSuite: 'TLS_AES_128_GCM_SHA256',
  ticket,
  psk: first.secret('resumption'),
  lifetime: ticketLifetime,
  ageAdd: ticketAgeAdd,
  receivedAt: now,
  serverName: 'server',
  alpnProtocol: undefined,
  peerCertificates: [Uint8Array.of(0x30, 0)],
  maxEarlyData: 1024,
  pskIdentity: undefined,
  localCertificate: undefined,
  peerRawPublicKey: undefined,
  ocspResponse: undefined,
  signedCertificateTimestamps: [],
};

describe('RFC 8448 §4, resumed-0-rtt', () => {
  it("the client's binder is the trace's, byte for byte", () => {
    const sent = resumingClient()
      .start()
      .find(({ type }) => type === 'transmit');
    if (sent?.type !== 'transmit') throw new Error('the client sent nothing');
    expect(toHex(sent.data.subarray(5))).toBe(toHex(clientHello));
  });

  it("the client's records and secrets are the trace's, early data and its end included", () => {
    const client = resumingClient();
    const { events, compared } = replay(client, trace);
    expect(compared).toBe(trace.records().filter(({ who }) => who === 'client').length);
    expect(secretsOf(events)).toEqual(secrets);
    expect(client.info).toMatchObject({ resumed: true, group: 'x25519', signatureScheme: undefined });
    expect(client.info).toMatchObject({ earlyData: 'accepted', earlyDataReason: 'accepted' });
    expect(events.map(({ type }) => type)).toContain('early_data_accepted');
    expect(dataIn(events, 'data')).toEqual([applicationData('server')]);
    expect(events.at(-1)).toEqual({ type: 'closed' });
  });

  it("the server's records and secrets are the trace's, and it reads the early data", () => {
    const server = resumingServer();
    const { events, compared } = replay(server, trace);
    expect(compared).toBe(trace.records().filter(({ who }) => who === 'server').length);
    expect(secretsOf(events)).toEqual(secrets);
    expect(server.info).toMatchObject({ resumed: true, earlyData: 'accepted', earlyDataReason: 'accepted' });
    expect(dataIn(events, 'early_data')).toEqual([applicationData('client')]);
    expect(dataIn(events, 'data')).toEqual([applicationData('client', 1)]);
  });

  it('a server refuses the ClientHello with another binder', () => {
    const record = clientHelloRecord();
    record[record.length - 1] = (record.at(-1) ?? 0) ^ 1;
    const server = resumingServer();
    server.start();
    expect(server.receive(record).at(-1)).toMatchObject({ type: 'failed', error: { alert: 'decrypt_error' } });
  });
});

const secrets = {
  ...secretsIn(trace),
  CLIENT_EARLY_TRAFFIC_SECRET: toHex(trace.secret('c e traffic')),
  EARLY_EXPORTER_SECRET: toHex(trace.secret('e exp master')),
};

/** What that side sent as application data, in order. */
function applicationData(who: 'client' | 'server', index = 0): string {
  const steps = trace.records().filter((step) => step.who === who && step.what === 'send application_data record');
  return toHex(valueIn(steps[index], 'payload'));
}

function dataIn(events: readonly TlsEvent[], type: 'data' | 'early_data'): readonly string[] {
  return events.flatMap((event) => (event.type === type ? [toHex(event.data)] : []));
}

/** A client whose ClientHello is the trace's, but for the binder, which it makes itself. */
function resumingClient(): TlsEngine {
  setScript({ client_hello: [withoutBinder] });
  return createClientEngine({
    provider: tracedProvider([hello.random], trace.ephemeralKeys('client')),
    serverName: 'server',
    verifyPeer: () => {},
    groups: ['x25519', 'secp256r1'],
    middleboxCompatibility: false,
    keyLog: true,
    session,
    earlyData: true,
    now: () => now + 1000,
  });
}

/** A server that knows the trace's ticket. */
function resumingServer(): TlsEngine {
  const state = encodeTicket({
    cipherSuite: session.cipherSuite,
    psk: session.psk,
    issuedAt: now / 1000,
    issuedAtMilliseconds: 0,
    authenticatedAt: now / 1000,
    lifetime: ticketLifetime,
    ageAdd: ticketAgeAdd,
    maxEarlyData: session.maxEarlyData,
    earlyDataIssuer: new Uint8Array(0),
    serverName: 'server',
    alpnProtocol: undefined,
    clientRawPublicKey: undefined,
    serverCertificateType: 'x509',
    clientCertificates: [],
    clientCertificateHash: undefined,
    pskIdentity: undefined,
  });
  if (serverHello.type !== 'server_hello') throw new Error('not the trace');
  setScript({
    server_hello: [trace.message('ServerHello', 'server')],
    encrypted_extensions: [trace.message('EncryptedExtensions', 'server')],
  });
  return createServerEngine({
    provider: tracedProvider([serverHello.body.random], trace.ephemeralKeys('server')),
    credentials: () => undefined,
    tickets: {
      count: 0,
      protector: {
        protect: (plain) => plain,
        unprotect: (sealed) => (toHex(sealed) === toHex(ticket) ? state : undefined),
      },
    },
    earlyData: { maxSize: 1024, replayCache: { claim: () => true } },
    keyLog: true,
    now: () => now + statedAge,
  });
}

/** Milliseconds, of the ticket in the trace's ClientHello. */
const [identity] = hello.extensions.preSharedKey?.identities ?? [];
const statedAge = ((identity?.obfuscatedTicketAge ?? 0) - ticketAgeAdd) >>> 0;

function clientHelloRecord(): Uint8Array {
  return valueIn(trace.records()[0], 'complete record').slice();
}
