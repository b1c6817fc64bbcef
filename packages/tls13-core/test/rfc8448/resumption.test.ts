/**
 * The trace of RFC 8448 §4, a resumption with early data. This library sends no early data and a server of it reads
 * none, so the trace is followed as far as both go: on the client up to the server's Finished, on the server with
 * the early data skipped. As in traces.test.ts the hellos are the trace's, and so is EncryptedExtensions on the client.
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
import { secretsIn, secretsOf, Trace, tracedProvider } from './replay.js';
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
};

describe('RFC 8448 §4, resumed-0-rtt', () => {
  it("the client's binder is the trace's, byte for byte", () => {
    const { sent } = takeAll(resumingClient().start());
    expect(toHex(sent.subarray(5))).toBe(toHex(clientHello));
  });

  it("the client takes the server's flight, and its secrets and application data are the trace's", () => {
    const client = resumingClient();
    client.start();
    const events: TlsEvent[] = [];
    const received: string[] = [];
    for (const step of trace.records()) {
      if (step.who === 'client') continue;
      const { rest } = takeAll(client.receive(valueIn(step, 'complete record').slice()));
      events.push(...rest);
      for (const event of rest) if (event.type === 'data') received.push(toHex(event.data));
    }
    expect(secretsOf(events)).toEqual(secretsIn(trace));
    expect(client.info).toMatchObject({ resumed: true, group: 'x25519', signatureScheme: undefined });
    const data = trace.records().find(({ who, what }) => who === 'server' && what === 'send application_data record');
    expect(received).toEqual([toHex(valueIn(data, 'payload'))]);
    expect(events.at(-1)).toEqual({ type: 'closed' });
  });

  it("a server takes the PSK, skips the early data, and has the trace's handshake secrets", () => {
    const client = resumingClient();
    client.start();
    const server = resumingServer();
    server.start();
    const [helloRecord, earlyData] = trace.records().filter(({ who }) => who === 'client');
    const answer = takeAll(server.receive(valueIn(helloRecord, 'complete record').slice()));
    const { CLIENT_HANDSHAKE_TRAFFIC_SECRET, SERVER_HANDSHAKE_TRAFFIC_SECRET } = secretsIn(trace);
    expect(secretsOf(answer.rest)).toMatchObject({ CLIENT_HANDSHAKE_TRAFFIC_SECRET, SERVER_HANDSHAKE_TRAFFIC_SECRET });
    const [serverHelloRecord] = trace.records().filter(({ who }) => who === 'server');
    const theirs = valueIn(serverHelloRecord, 'complete record');
    expect(toHex(answer.sent.subarray(0, theirs.length))).toBe(toHex(theirs));

    expect(takeAll(server.receive(valueIn(earlyData, 'complete record').slice()))).toEqual(nothing);
    expect(server.state).toBe('handshake');

    // Our client never saw early data accepted, so it finishes as after any resumption.
    const finished = takeAll(client.receive(answer.sent));
    takeAll(server.receive(finished.sent));
    expect(server.info).toMatchObject({ resumed: true });
    expect(client.info).toMatchObject({ resumed: true });
    expect(takeAll(server.receive(takeAll(client.send(Uint8Array.of(1, 2, 3))).sent)).rest).toEqual([
      { type: 'data', data: Uint8Array.of(1, 2, 3) },
    ]);
  });

  it('a server refuses the ClientHello with another binder', () => {
    const record = clientHelloRecord();
    record[record.length - 1] = (record.at(-1) ?? 0) ^ 1;
    const server = resumingServer();
    server.start();
    expect(server.receive(record).at(-1)).toMatchObject({ type: 'failed', error: { alert: 'decrypt_error' } });
  });
});

const nothing = { sent: new Uint8Array(0), rest: [] };

/** A client whose ClientHello is the trace's, but for the binder, which it makes itself. */
function resumingClient(): TlsEngine {
  setScript({ client_hello: [withoutBinder], server_hello: [trace.message('ServerHello', 'server')] });
  return createClientEngine({
    provider: tracedProvider([hello.random], trace.ephemeralKeys('client')),
    serverName: 'server',
    verifyPeer: () => {},
    groups: ['x25519', 'secp256r1'],
    middleboxCompatibility: false,
    keyLog: true,
    session,
    now: () => now + 1000,
  });
}

/** A server that knows the trace's ticket. */
function resumingServer(): TlsEngine {
  const state = encodeTicket({
    cipherSuite: session.cipherSuite,
    psk: session.psk,
    issuedAt: now / 1000,
    authenticatedAt: now / 1000,
    lifetime: ticketLifetime,
    ageAdd: ticketAgeAdd,
    serverName: 'server',
    alpnProtocol: undefined,
    clientCertificates: [],
    pskIdentity: undefined,
  });
  if (serverHello.type !== 'server_hello') throw new Error('not the trace');
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
    keyLog: true,
    now: () => now + 1000,
  });
}

function clientHelloRecord(): Uint8Array {
  return valueIn(trace.records()[0], 'complete record').slice();
}

/** What goes on the wire, joined, and every other event. */
function takeAll(events: readonly TlsEvent[]): { readonly sent: Uint8Array; readonly rest: readonly TlsEvent[] } {
  const rest: TlsEvent[] = [];
  let sent = new Uint8Array(0);
  for (const event of events) {
    if (event.type === 'failed') throw event.error;
    if (event.type === 'transmit') sent = new Uint8Array([...sent, ...event.data]);
    else rest.push(event);
  }
  return { sent, rest };
}
