/**
 * A server by hand for the tests of the client's machine: it says whatever a test wants, right or wrong, under the
 * real key schedule. The right values are the defaults; a test overrides the one it is about.
 */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { certificateOf } from '../../../../test/vectors/certificate.js';
import type { ClientConfig } from '../../src/config/index.js';
import { nobleProvider } from '../../src/crypto/noble.js';
import { cipherSuite } from '../../src/crypto/suites.js';
import { signedContent } from '../../src/handshake/certificate-verify.js';
import {
  type ClientContext,
  type ClientState,
  clientTransitions,
  startClient,
} from '../../src/handshake/client/index.js';
import type { Effect } from '../../src/handshake/effects.js';
import { advance } from '../../src/handshake/step.js';
import { finishedVerifyData } from '../../src/keys/finished.js';
import { EarlySecret, type MainSecret, type Secret } from '../../src/keys/schedule.js';
import { Transcript } from '../../src/keys/transcript.js';
import { type CipherSuiteName, type NamedGroupName, namedGroups, signatureSchemes } from '../../src/registry.js';
import type { Session } from '../../src/session.js';
import { clientSettings } from '../../src/settings/index.js';
import {
  type ClientHello,
  decodeHandshake,
  encodeMessage,
  helloRetryRequestRandom,
  type MessageBodiesToSend,
  type RawExtension,
} from '../../src/wire/index.js';
import { DrivenMachine } from './driven-machine.js';

type ServerHelloToSend = MessageBodiesToSend['server_hello'];
type RetryToSend = MessageBodiesToSend['hello_retry_request'];

export const provider = nobleProvider;

/** A client whose settings a test overrides; its machine is driven message by message. */
export class TestClient extends DrivenMachine<ClientState> {
  readonly context: ClientContext;

  constructor(config: Partial<ClientConfig> = {}) {
    const context: ClientContext = {
      settings: clientSettings({ provider, groups: ['x25519', 'secp256r1'], verifyPeer: () => {}, ...config }),
    };
    const step = startClient(context);
    if ('waiting' in step) throw new Error('verifyPeer answers at once here');
    super('client', step);
    this.context = context;
  }

  /** The last ClientHello. */
  get hello(): ClientHello {
    const sent = this.sent('client_hello');
    return sent.body;
  }

  /** The only message of that type among the last step's effects. */
  sent<Type extends 'client_hello' | 'certificate' | 'certificate_verify' | 'finished'>(type: Type) {
    for (const effect of this.effects) {
      if (effect.type !== 'send') continue;
      const message = decodeHandshake(effect.message);
      if (isOf(message, type)) return message;
    }
    throw new Error(`the client's last step sent no ${type}`);
  }

  /** Every effect of the last step in short, for comparing orders. */
  get summary(): readonly string[] {
    return this.effects.map((effect) => {
      if (effect.type === 'send') return `send ${decodeHandshake(effect.message).type}`;
      if (effect.type === 'K_send' || effect.type === 'K_recv') return `${effect.type} ${effect.epoch}`;
      if (effect.type === 'change_cipher_spec') return `${effect.type} ${effect.when}`;
      return effect.type === 'key_log' ? `key_log ${effect.label}` : effect.type;
    });
  }

  protected override advance(message: Uint8Array) {
    return advance(clientTransitions, this.state, message, this.context);
  }
}

/** What a test may change of the server's part. */
export interface ServerOptions {
  readonly suite?: CipherSuiteName;
  readonly group?: NamedGroupName;
  /** The PSK it takes. */
  readonly psk?: Uint8Array;
}

export class TestServer {
  readonly #options: ServerOptions;
  readonly #client: TestClient;
  transcript: Transcript;
  #retried = false;
  #secrets: { client: Secret; server: Secret; main: MainSecret } | undefined;

  constructor(client: TestClient, options: ServerOptions = {}) {
    this.#client = client;
    this.#options = options;
    this.transcript = Transcript.start(provider.hash(this.suite.hash));
  }

  get suite() {
    return cipherSuite(this.#options.suite ?? 'TLS_AES_128_GCM_SHA256');
  }

  get secrets() {
    if (this.#secrets === undefined) throw new Error('there is no secret before the ServerHello');
    return this.#secrets;
  }

  helloRetryRequest(
    extensions: RetryToSend['extensions'] = { supportedVersions: 0x0304, keyShare: namedGroups.secp256r1 },
    changes: Partial<RetryToSend> = {},
  ): Uint8Array {
    const message = encodeMessage('hello_retry_request', {
      legacyVersion: 0x0303,
      random: helloRetryRequestRandom,
      legacySessionIdEcho: this.#client.hello.legacySessionId,
      cipherSuite: this.suite.code,
      legacyCompressionMethod: 0,
      extensions,
      ...changes,
    });
    this.transcript = this.transcript.append(this.#helloBytes()).messageHash().append(message);
    this.#retried = true;
    return message;
  }

  serverHello(
    extensions: ServerHelloToSend['extensions'] | ((right: ServerHelloToSend['extensions']) => object) = (right) =>
      right,
    changes: Partial<ServerHelloToSend> = {},
  ): Uint8Array {
    const { hello } = this.#client;
    const group = this.#options.group ?? (this.#retried ? 'secp256r1' : 'x25519');
    const share = hello.extensions.keyShare?.find((entry) => entry.group === namedGroups[group]);
    const half = share && provider.encapsulate(group, share.keyExchange);
    const keyShare = half && { group: namedGroups[group], keyExchange: half.keyExchange };
    const { psk } = this.#options;
    const right = { supportedVersions: 0x0304, keyShare, preSharedKey: psk === undefined ? undefined : 0 };
    const message = encodeMessage('server_hello', {
      legacyVersion: 0x0303,
      random: new Uint8Array(32).fill(0x55),
      legacySessionIdEcho: hello.legacySessionId,
      cipherSuite: this.suite.code,
      legacyCompressionMethod: 0,
      extensions: typeof extensions === 'function' ? extensions(right) : extensions,
      ...changes,
    });
    this.transcript = this.transcript.append(this.#helloBytes()).append(message);
    const handshake = EarlySecret.from(this.transcript.hash, psk).handshake(half?.sharedSecret);
    const client = handshake.clientTraffic(this.transcript.digest());
    const server = handshake.serverTraffic(this.transcript.digest());
    this.#secrets = { client, server, main: handshake.main() };
    return message;
  }

  encryptedExtensions(extensions: MessageBodiesToSend['encrypted_extensions']['extensions'] = {}): Uint8Array {
    return this.#add(encodeMessage('encrypted_extensions', { extensions }));
  }

  certificateRequest(changes: Partial<MessageBodiesToSend['certificate_request']> = {}): Uint8Array {
    const extensions = { signatureAlgorithms: [signatureSchemes.ed25519, signatureSchemes.ecdsa_secp256r1_sha256] };
    const empty = new Uint8Array(0);
    return this.#add(
      encodeMessage('certificate_request', { certificateRequestContext: empty, extensions, ...changes }),
    );
  }

  certificate(changes: Partial<MessageBodiesToSend['certificate']> = {}): Uint8Array {
    const certificateList = [{ certData: serverIdentity.certificate, extensions: {} }];
    const empty = new Uint8Array(0);
    return this.#add(encodeMessage('certificate', { certificateRequestContext: empty, certificateList, ...changes }));
  }

  certificateVerify(changes: Partial<MessageBodiesToSend['certificate_verify']> = {}): Uint8Array {
    const content = signedContent('server', this.transcript.digest());
    const signature = sign(null, content, serverIdentity.privateKey);
    return this.#add(
      encodeMessage('certificate_verify', { algorithm: signatureSchemes.ed25519, signature, ...changes }),
    );
  }

  finished(change: (verifyData: Uint8Array) => Uint8Array = (right) => right): Uint8Array {
    const verifyData = finishedVerifyData(this.transcript.hash, this.secrets.server, this.transcript.digest());
    return this.#add(encodeMessage('finished', { verifyData: change(verifyData) }));
  }

  #add(message: Uint8Array): Uint8Array {
    this.transcript = this.transcript.append(message);
    return message;
  }

  #helloBytes(): Uint8Array {
    for (const effect of this.#client.effects) {
      if (effect.type === 'send' && effect.message[0] === 1) return effect.message;
    }
    throw new Error("the client's last step sent no ClientHello");
  }
}

/** A client and a server that have come to the state before the message a test is about. */
export function untilServerHello(config: Partial<ClientConfig> = {}, options: ServerOptions = {}) {
  const client = new TestClient(config);
  return { client, server: new TestServer(client, options) };
}

export function untilEncryptedExtensions(config: Partial<ClientConfig> = {}, options: ServerOptions = {}) {
  const { client, server } = untilServerHello(config, options);
  client.receive(server.serverHello());
  return { client, server };
}

export function untilCertificate(config: Partial<ClientConfig> = {}) {
  const { client, server } = untilEncryptedExtensions(config);
  client.receive(server.encryptedExtensions());
  return { client, server };
}

export function untilCertificateVerify(config: Partial<ClientConfig> = {}) {
  const { client, server } = untilCertificate(config);
  client.receive(server.certificate());
  return { client, server };
}

export function untilFinished(config: Partial<ClientConfig> = {}, requested = false) {
  const { client, server } = untilCertificate(config);
  if (requested) client.receive(server.certificateRequest());
  client.receive(server.certificate());
  client.receive(server.certificateVerify());
  return { client, server };
}

export function untilConnected(config: Partial<ClientConfig> = {}) {
  const { client, server } = untilFinished(config);
  client.receive(server.finished());
  return { client, server };
}

export function newSessionTicket(changes: Partial<MessageBodiesToSend['new_session_ticket']> = {}): Uint8Array {
  return encodeMessage('new_session_ticket', {
    ticketLifetime: 7200,
    ticketAgeAdd: 0xfffffff0,
    ticketNonce: Uint8Array.of(0, 1),
    ticket: Uint8Array.of(1, 2, 3, 4),
    extensions: {},
    ...changes,
  });
}

export function unknownExtension(type = 0xfafa): { readonly extra: readonly RawExtension[] } {
  return { extra: [{ type, data: Uint8Array.of(1) }] };
}

/** An Ed25519 key and a certificate around it, made for the test run. */
export function newIdentity(): { certificate: Uint8Array; privateKey: KeyObject; pkcs8: Uint8Array } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const bytes = (encoded: Buffer) => new Uint8Array(encoded);
  return {
    certificate: certificateOf(bytes(publicKey.export({ type: 'spki', format: 'der' }))),
    privateKey,
    pkcs8: bytes(privateKey.export({ type: 'pkcs8', format: 'der' })),
  };
}

export const serverIdentity = newIdentity();

/** A session of an earlier connection, half a second old at `resuming`'s time. */
export const session: Session = {
  cipherSuite: 'TLS_AES_128_GCM_SHA256',
  ticket: new Uint8Array(40).fill(7),
  psk: new Uint8Array(32).fill(9),
  lifetime: 7200,
  ageAdd: 0xffff_ffff,
  receivedAt: 1_000_000,
  serverName: 'example.test',
  alpnProtocol: undefined,
  peerCertificates: [serverIdentity.certificate],
  maxEarlyData: 0,
  pskIdentity: undefined,
  localCertificate: undefined,
  peerRawPublicKey: undefined,
  ocspResponse: undefined,
  signedCertificateTimestamps: [],
};
export const resuming: Partial<ClientConfig> = { session, serverName: 'example.test', now: () => 1_000_500 };
export function raw(type: number, ...data: readonly number[]): { readonly extra: readonly RawExtension[] } {
  return { extra: [{ type, data: Uint8Array.from(data) }] };
}

function isOf<Type extends string>(
  message: ReturnType<typeof decodeHandshake>,
  type: Type,
): message is Extract<ReturnType<typeof decodeHandshake>, { type: Type }> {
  return message.type === type;
}

/** The first effect of that type. */
export function effectOf<Type extends Effect['type']>(
  effects: readonly Effect[],
  type: Type,
): Extract<Effect, { type: Type }> {
  for (const effect of effects) if (isEffect(effect, type)) return effect;
  throw new Error(`no effect ${type}`);
}

function isEffect<Type extends Effect['type']>(effect: Effect, type: Type): effect is Extract<Effect, { type: Type }> {
  return effect.type === type;
}
