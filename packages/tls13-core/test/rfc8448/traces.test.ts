/**
 * The traces of RFC 8448 §3, §5, §6 and §7 through both engines. The hellos, EncryptedExtensions, CertificateRequest
 * and NewSessionTicket are the trace's (script.ts says why, and each is held against ours below); every record that
 * either engine sends is compared with the trace's, byte for byte.
 */
import { describe, expect, it, vi } from 'vitest';
import { toHex } from '../../../../test/vectors/hex.js';
import type { TraceName } from '../../../../test/vectors/rfc8448.js';
import type { ClientConfig, ServerConfig } from '../../src/config/index.js';
import { createClientEngine, createServerEngine } from '../../src/engine/index.js';
import { extensionTypes, type SignatureSchemeName } from '../../src/registry.js';
import { type ClientHello, decodeHandshake } from '../../src/wire/index.js';
import { onlyCertificate, recordedSigner, replay, secretsIn, secretsOf, Trace, tracedProvider } from './replay.js';
import { replacedMessages, setScript } from './script.js';

vi.mock('../../src/wire/index.js', async (importOriginal) => {
  const { scriptedWire } = await import('./script.js');
  return scriptedWire(await importOriginal());
});

interface Case {
  readonly trace: TraceName;
  /** Records: of the client, of the server. */
  readonly records: readonly [number, number];
  readonly serverScheme: SignatureSchemeName;
  readonly client?: Partial<ClientConfig>;
  readonly server?: Partial<ServerConfig>;
}

const cases: readonly Case[] = [
  { trace: 'simple-1-rtt', records: [4, 5], serverScheme: 'rsa_pss_rsae_sha256' },
  {
    trace: 'hello-retry-request',
    records: [4, 4],
    serverScheme: 'rsa_pss_rsae_sha256',
    server: { groups: ['secp256r1'] },
  },
  {
    trace: 'client-authentication',
    records: [3, 3],
    serverScheme: 'ecdsa_secp256r1_sha256',
    server: { clientAuthentication: 'request', verifyPeer: () => {} },
  },
  {
    trace: 'compatibility-mode',
    records: [4, 4],
    serverScheme: 'rsa_pss_rsae_sha256',
    client: { middleboxCompatibility: true },
  },
];

describe.each(cases)('RFC 8448, $trace', (given) => {
  const trace = new Trace(given.trace);
  const clientHellos = trace.messages('ClientHello', 'client');
  const serverHellos = trace.messages('ServerHello', 'server');
  const { body: hello } = decoded(clientHellos[0], 'client_hello');
  const { body: serverHello } = decoded(serverHellos.at(-1), 'server_hello');
  const retry = serverHellos.slice(0, -1);

  it("the client's records are the trace's, byte for byte", () => {
    setScript({ client_hello: clientHellos });
    const engine = createClientEngine({
      provider: tracedProvider([hello.random, hello.legacySessionId], trace.ephemeralKeys('client')),
      cipherSuites: ['TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_256_GCM_SHA384'],
      groups: ['x25519', 'secp256r1', 'secp384r1'],
      serverName: 'server',
      verifyPeer: () => {},
      middleboxCompatibility: false,
      keyLog: true,
      ...given.client,
      ...(given.trace === 'client-authentication' ? { credential: recordedCredential(trace, 'client') } : {}),
    });
    const { events, compared } = replay(engine, trace);
    expect(compared).toBe(given.records[0]);
    expect(secretsOf(events)).toEqual(secretsIn(trace));
    expect(events.at(-1)).toEqual({ type: 'closed' });
    expect(replacedMessages()).toHaveLength(clientHellos.length);
    for (const { ours, theirs } of replacedMessages()) {
      const [one, other] = [decoded(ours, 'client_hello').body, decoded(theirs, 'client_hello').body];
      const same = ['server_name', 'key_share', 'supported_versions', 'psk_key_exchange_modes', 'cookie'];
      expect(fixedFields(one)).toEqual(fixedFields(other));
      expect(named(one, same)).toEqual(named(other, same));
    }
  });

  it("the server's records are the trace's, byte for byte", () => {
    setScript({
      // With a cookie the HelloRetryRequest is encoded a second time when the ClientHello brings it back.
      hello_retry_request: retry.flatMap((message) => [message, message]),
      server_hello: serverHellos.slice(-1),
      encrypted_extensions: trace.messages('EncryptedExtensions', 'server'),
      certificate_request: trace.messages('CertificateRequest', 'server'),
      new_session_ticket: trace.messages('NewSessionTicket', 'server'),
    });
    const [ticket] = trace.messages('NewSessionTicket', 'server');
    const cookie = retry[0] && decoded(retry[0], 'hello_retry_request').body.extensions.cookie;
    const engine = createServerEngine({
      provider: tracedProvider([serverHello.random, new Uint8Array(4)], trace.ephemeralKeys('server')),
      credentials: [recordedCredential(trace, 'server', given.serverScheme)],
      keyLog: true,
      ...given.server,
      ...(ticket === undefined ? {} : { tickets: { count: 1, protector: remembering(ticket) } }),
      ...(cookie === undefined ? {} : { cookies: remembering(cookie) }),
    });
    const { events, compared } = replay(engine, trace);
    expect(compared).toBe(given.records[1]);
    expect(secretsOf(events)).toEqual(secretsIn(trace));
    for (const { type, ours, theirs } of replacedMessages()) {
      if (type !== 'server_hello' && type !== 'hello_retry_request') continue;
      const [one, other] = [decoded(ours, type).body, decoded(theirs, type).body];
      expect({ ...one, extensions: sorted(one.extensions.raw) }, 'but for the order of extensions').toEqual({
        ...other,
        extensions: sorted(other.extensions.raw),
      });
    }
  });
});

function recordedCredential(
  trace: Trace,
  who: 'client' | 'server',
  scheme: SignatureSchemeName = 'rsa_pss_rsae_sha256',
) {
  const certificate = onlyCertificate(trace.message('Certificate', who));
  const signer = recordedSigner(scheme, certificate, trace.message('CertificateVerify', who));
  return { certificateChain: [certificate], signer };
}

/** A protector whose sealed form is what the trace has on the wire. */
function remembering(sealed: Uint8Array) {
  let kept: Uint8Array | undefined;
  return {
    protect(state: Uint8Array) {
      kept = state.slice();
      return sealed;
    },
    unprotect: (given: Uint8Array) => (toHex(given) === toHex(sealed) ? kept : undefined),
  };
}

function decoded<Type extends 'client_hello' | 'server_hello' | 'hello_retry_request'>(
  message: Uint8Array | undefined,
  type: Type,
) {
  const result = decodeHandshake(message ?? new Uint8Array(0));
  if (!isOf(result, type)) throw new Error(`the trace has ${result.type} where ${type} was looked for`);
  return result;
}

function isOf<Type extends string>(
  message: ReturnType<typeof decodeHandshake>,
  type: Type,
): message is Extract<ReturnType<typeof decodeHandshake>, { type: Type }> {
  return message.type === type;
}

function fixedFields(hello: ClientHello) {
  return { ...hello, extensions: undefined };
}

function named(hello: ClientHello, names: readonly string[]) {
  const codes: Readonly<Record<string, number>> = extensionTypes;
  return names.map((name) => [name, hello.extensions.raw.get(codes[name] ?? -1)]);
}

function sorted(raw: ReadonlyMap<number, Uint8Array>) {
  return [...raw].sort(([one], [other]) => one - other);
}
