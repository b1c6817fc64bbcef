/**
 * A server by hand that a real client engine talks to over real records: each step is right unless a test changes it,
 * and the keys and the Finished go with what was really said.
 */
import type { ClientConfig } from '../../../src/config/index.js';
import type { CryptoProvider, Encapsulation } from '../../../src/crypto/provider.js';
import { cipherSuite } from '../../../src/crypto/suites.js';
import { createClientEngine } from '../../../src/engine/index.js';
import { finishedVerifyData } from '../../../src/keys/finished.js';
import { EarlySecret, type MainSecret, type Secret } from '../../../src/keys/schedule.js';
import { Transcript } from '../../../src/keys/transcript.js';
import {
  type CipherSuiteName,
  cipherSuites,
  type NamedGroupName,
  namedGroups,
  signatureSchemes,
} from '../../../src/registry.js';
import {
  type ClientHello,
  encodeMessage,
  type HandshakeMessage,
  helloRetryRequestRandom,
  type MessageBodiesToSend,
} from '../../../src/wire/index.js';
import type { KeyKind } from './certificates.js';
import { asItIs, type Change, HandPeer } from './hand.js';
import { clientConfig, End } from './pair.js';

export interface HandServerOptions {
  readonly suite?: CipherSuiteName;
  readonly group?: NamedGroupName;
  readonly kind?: KeyKind;
  /** The PSK it takes, and so shows no certificate. */
  readonly psk?: Uint8Array;
  /** Of the session (of TLS_AES_128_GCM_SHA256) that comes with early data, which is what the client sends until it has been told otherwise. */
  readonly earlyPsk?: Uint8Array;
}

export class HandServer extends HandPeer {
  readonly #options: HandServerOptions;
  transcript: Transcript | undefined;
  #hello: { readonly body: ClientHello; readonly bytes: Uint8Array } | undefined;
  #secrets: { client: Secret; server: Secret; main: MainSecret } | undefined;
  #clientApplication: Secret | undefined;

  /** The client has sent its ClientHello. */
  constructor(provider: CryptoProvider, config: Partial<ClientConfig> = {}, options: HandServerOptions = {}) {
    const engine = createClientEngine(clientConfig(provider, { groups: ['x25519', 'secp256r1'], ...config }));
    super('server', provider, new End(engine), options.kind);
    this.#options = options;
    this.end.take(this.end.engine.start());
    this.wire.read();
    const { earlyPsk } = options;
    if (earlyPsk === undefined) return;
    const { hash } = this.#transcript;
    const suite = cipherSuite('TLS_AES_128_GCM_SHA256');
    this.wire.openWith(suite, EarlySecret.from(hash, earlyPsk).clientEarlyTraffic(this.#transcript.digest()));
  }

  /** The last ClientHello. */
  get hello(): ClientHello {
    return this.#lastHello.body;
  }

  get suite() {
    return cipherSuite(this.#options.suite ?? 'TLS_AES_128_GCM_SHA256');
  }

  get secrets() {
    if (this.#secrets === undefined) throw new Error('there are no keys before the ServerHello');
    return this.#secrets;
  }

  helloRetryRequest(change: Change<'hello_retry_request'> = asItIs): this {
    const right: MessageBodiesToSend['hello_retry_request'] = {
      legacyVersion: 0x0303,
      random: helloRetryRequestRandom,
      legacySessionIdEcho: this.hello.legacySessionId,
      cipherSuite: this.suite.code,
      legacyCompressionMethod: 0,
      extensions: { supportedVersions: 0x0304, keyShare: namedGroups.secp256r1 },
    };
    this.transcript = this.transcript?.messageHash();
    this.say('hello_retry_request', right, change);
    return this;
  }

  serverHello(change: Change<'server_hello'> = asItIs): this {
    const group = this.#options.group ?? this.#firstShare();
    const share = this.hello.extensions.keyShare?.find((entry) => entry.group === namedGroups[group]);
    const half: Encapsulation | undefined = share && this.provider.encapsulate(group, share.keyExchange);
    const { psk } = this.#options;
    const right: MessageBodiesToSend['server_hello'] = {
      legacyVersion: 0x0303,
      random: this.provider.random(32),
      legacySessionIdEcho: this.hello.legacySessionId,
      cipherSuite: this.suite.code,
      legacyCompressionMethod: 0,
      extensions: {
        supportedVersions: 0x0304,
        keyShare: half && { group: namedGroups[group], keyExchange: half.keyExchange },
        preSharedKey: psk === undefined ? undefined : 0,
      },
    };
    // The client's answer, its alert if nothing else, comes under the keys that this message makes.
    const prepared = (body: MessageBodiesToSend['server_hello']) => {
      const changed = change(body);
      if (changed instanceof Uint8Array || this.transcript === undefined) return changed;
      const transcript = this.transcript.append(encodeMessage('server_hello', changed));
      const handshake = EarlySecret.from(transcript.hash, psk).handshake(half?.sharedSecret);
      const client = handshake.clientTraffic(transcript.digest());
      const server = handshake.serverTraffic(transcript.digest());
      this.#secrets = { client, server, main: handshake.main() };
      if (this.#options.earlyPsk === undefined) this.wire.openWith(this.suite, client);
      return changed;
    };
    this.say('server_hello', right, prepared);
    if (this.#secrets !== undefined) this.wire.sealWith(this.suite, this.#secrets.server);
    return this;
  }

  encryptedExtensions(change: Change<'encrypted_extensions'> = asItIs): this {
    this.say('encrypted_extensions', { extensions: {} }, change);
    return this;
  }

  certificateRequest(change: Change<'certificate_request'> = asItIs): this {
    const extensions = { signatureAlgorithms: [signatureSchemes.ed25519, signatureSchemes.ecdsa_secp256r1_sha256] };
    this.say('certificate_request', { certificateRequestContext: noBytes, extensions }, change);
    return this;
  }

  finished(change: Change<'finished'> = asItIs): this {
    const { hash } = this.#transcript;
    const verifyData = finishedVerifyData(hash, this.secrets.server, this.#transcript.digest());
    const changed = change({ verifyData });
    const message = changed instanceof Uint8Array ? undefined : encodeMessage('finished', changed);
    // The client's application key is needed as soon as its Finished is read, which is within this call.
    if (message !== undefined) {
      const through = this.#transcript.append(message).digest();
      this.#clientApplication = this.secrets.main.clientTraffic(through);
    }
    const serverApplication = message && this.secrets.main.serverTraffic(this.#transcript.append(message).digest());
    this.say('finished', { verifyData }, () => changed);
    if (serverApplication !== undefined) this.wire.sealWith(this.suite, serverApplication);
    return this;
  }

  newSessionTicket(change: Change<'new_session_ticket'> = asItIs): this {
    const right: MessageBodiesToSend['new_session_ticket'] = {
      ticketLifetime: 7_200,
      ticketAgeAdd: 0xfffffff0,
      ticketNonce: Uint8Array.of(0, 1),
      ticket: Uint8Array.of(1, 2, 3, 4),
      extensions: {},
    };
    this.sayAfterwards('new_session_ticket', change(right));
    return this;
  }

  /** The right steps up to the one that is named, itself included. */
  through(last: 'server_hello' | 'encrypted_extensions' | 'certificate' | 'certificate_verify' | 'finished'): this {
    const steps = {
      server_hello: () => this.serverHello(),
      encrypted_extensions: () => this.encryptedExtensions(),
      certificate: () => this.certificate(),
      certificate_verify: () => this.certificateVerify(),
      finished: () => this.finished(),
    };
    const authenticated = this.#options.psk !== undefined;
    for (const [name, step] of Object.entries(steps)) {
      if (!authenticated || !name.startsWith('certificate')) step();
      if (name === last) return this;
    }
    return this;
  }

  override note(message: Uint8Array): void {
    this.transcript = this.#transcript.append(message);
  }

  protected override onMessage({ type, body, bytes }: HandshakeMessage): void {
    if (type === 'client_hello') {
      this.#hello = { body, bytes };
      this.transcript = (this.transcript ?? Transcript.start(this.provider.hash(this.suite.hash))).append(bytes);
      return;
    }
    this.transcript = this.transcript?.append(bytes);
    if (type === 'finished' && this.#clientApplication !== undefined) {
      this.wire.openWith(this.suite, this.#clientApplication);
      // A Finished after the handshake changes no key (§4.7.2).
      this.#clientApplication = undefined;
    }
  }

  get #transcript(): Transcript {
    if (this.transcript === undefined) throw new Error('the client has said nothing yet');
    return this.transcript;
  }

  get #lastHello() {
    if (this.#hello === undefined) throw new Error('the client has sent no ClientHello');
    return this.#hello;
  }

  #firstShare(): NamedGroupName {
    const code = this.hello.extensions.keyShare?.[0]?.group;
    const group = this.provider.groups.find((name) => namedGroups[name] === code);
    if (group === undefined) throw new Error('the client sent no share');
    return group;
  }
}

export const unofferedSuite = cipherSuites.TLS_AES_128_CCM_8_SHA256;
const noBytes = new Uint8Array(0);
