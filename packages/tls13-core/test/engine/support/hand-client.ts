/**
 * A client by hand that talks to a real server engine over real records: each step is right unless a test changes it,
 * and the keys, the binders and the Finished go with what was really said.
 */
import type { ServerConfig } from '../../../src/config/index.js';
import type { CryptoProvider, EphemeralKey } from '../../../src/crypto/provider.js';
import { type CipherSuite, cipherSuite } from '../../../src/crypto/suites.js';
import { createServerEngine } from '../../../src/engine/index.js';
import { pskBinder } from '../../../src/handshake/psk.js';
import { finishedVerifyData } from '../../../src/keys/finished.js';
import { EarlySecret, type MainSecret, type Secret } from '../../../src/keys/schedule.js';
import { Transcript } from '../../../src/keys/transcript.js';
import {
  type CipherSuiteName,
  cipherSuites,
  knownName,
  type NamedGroupName,
  namedGroups,
  signatureSchemes,
} from '../../../src/registry.js';
import type { Session } from '../../../src/session.js';
import {
  type ClientHelloToSend,
  encodeMessage,
  fillBinders,
  type HandshakeMessage,
  truncateClientHello,
} from '../../../src/wire/index.js';
import type { KeyKind } from './certificates.js';
import { asItIs, type Change, HandPeer } from './hand.js';
import { End, serverConfig } from './pair.js';

export interface HandClientOptions {
  readonly suites?: readonly CipherSuiteName[];
  /** In supported_groups. */
  readonly groups?: readonly NamedGroupName[];
  /** The first of `groups` unless told. */
  readonly keyShares?: readonly NamedGroupName[];
  readonly kind?: KeyKind;
  /** Offered with its binder. */
  readonly session?: Session;
  readonly binder?: (right: Uint8Array) => Uint8Array;
}

export class HandClient extends HandPeer {
  readonly #options: HandClientOptions;
  readonly #groups: readonly NamedGroupName[];
  readonly #random: Uint8Array;
  readonly #sessionId: Uint8Array;
  transcript: Transcript | undefined;
  #hello: Uint8Array | undefined;
  #shares: readonly EphemeralKey[] = [];
  #suite: CipherSuite | undefined;
  #retry: Extract<HandshakeMessage, { type: 'hello_retry_request' }> | undefined;
  #secrets: { client: Secret; server: Secret; main: MainSecret } | undefined;
  #application: { client: Secret; server: Secret } | undefined;

  constructor(provider: CryptoProvider, config: Partial<ServerConfig> = {}, options: HandClientOptions = {}) {
    const engine = createServerEngine(serverConfig(provider, { groups: ['x25519', 'secp256r1'], ...config }));
    super('client', provider, new End(engine), options.kind);
    this.#options = options;
    this.#groups = options.groups ?? ['x25519', 'secp256r1'];
    this.#random = provider.random(32);
    this.#sessionId = provider.random(32);
    this.end.take(this.end.engine.start());
  }

  get suite(): CipherSuite {
    if (this.#suite === undefined) throw new Error('the server has chosen no suite yet');
    return this.#suite;
  }

  /** The HelloRetryRequest that came. */
  get retry() {
    return this.#retry;
  }

  /** As it would be sent, without a PSK. */
  rightHello(): ClientHelloToSend {
    const { suites = ['TLS_AES_128_GCM_SHA256'] } = this.#options;
    const asked = this.#retry?.body.extensions;
    const askedGroup = asked?.keyShare === undefined ? undefined : knownName(namedGroups, asked.keyShare);
    const keyShares = askedGroup === undefined ? this.#options.keyShares : [askedGroup];
    this.#shares = (keyShares ?? this.#groups.slice(0, 1)).map((group) => this.provider.generateKeyShare(group));
    return {
      legacyVersion: 0x0303,
      random: this.#random,
      legacySessionId: this.#sessionId,
      cipherSuites: suites.map((name) => cipherSuites[name]),
      legacyCompressionMethods: Uint8Array.of(0),
      extensions: {
        serverName: this.#options.session?.serverName,
        supportedVersions: [0x0304],
        supportedGroups: this.#groups.map((group) => namedGroups[group]),
        signatureAlgorithms: [signatureSchemes.ed25519, signatureSchemes.ecdsa_secp256r1_sha256],
        cookie: asked?.cookie,
        keyShare: this.#shares.map(({ group, keyExchange }) => ({ group: namedGroups[group], keyExchange })),
        pskKeyExchangeModes: [1],
      },
    };
  }

  /** A ClientHello, the second one after a HelloRetryRequest. A changed body gets a binder that goes with it. */
  clientHello(change: Change<'client_hello'> = asItIs): this {
    const { session } = this.#options;
    this.say('client_hello', this.rightHello(), (right) => {
      const changed = change(right);
      if (session === undefined || changed instanceof Uint8Array) return changed;
      return this.#bound(changed, session).subarray(4);
    });
    return this;
  }

  /** From here on under the early key of the ClientHello that is out (§2.3). */
  sealEarly(): this {
    const { session } = this.#options;
    if (session === undefined || this.#hello === undefined) throw new Error('no session was offered');
    const hash = this.provider.hash(cipherSuite(session.cipherSuite).hash);
    const through = Transcript.start(hash).append(this.#hello).digest();
    const secret = EarlySecret.from(hash, session.psk).clientEarlyTraffic(through);
    this.wire.sealWith(cipherSuite(session.cipherSuite), secret);
    return this;
  }

  endOfEarlyData(change: Change<'end_of_early_data'> = asItIs): this {
    this.say('end_of_early_data', {}, change);
    return this.sealHandshake();
  }

  /** From here on under the handshake key. */
  sealHandshake(): this {
    if (this.#secrets === undefined) throw new Error('there are no keys before the ServerHello');
    this.wire.sealWith(this.suite, this.#secrets.client);
    return this;
  }

  /** The next record is sealed with the application key, unless the engine refused this one. */
  finished(change: Change<'finished'> = asItIs): this {
    if (this.#secrets === undefined) throw new Error('there are no keys before the ServerHello');
    const { hash } = this.#transcript;
    const verifyData = finishedVerifyData(hash, this.#secrets.client, this.#transcript.digest());
    this.say('finished', { verifyData }, change);
    if (this.#application !== undefined) this.wire.sealWith(this.suite, this.#application.client);
    return this;
  }

  override note(message: Uint8Array): void {
    if (this.#hello === undefined) this.#hello = message;
    else if (this.transcript !== undefined) this.transcript = this.transcript.append(message);
  }

  protected override onMessage(message: HandshakeMessage): void {
    const { type, body, bytes } = message;
    if (type === 'hello_retry_request') {
      this.#retry = message;
      this.transcript = this.#start(body.cipherSuite).messageHash().append(bytes);
      return;
    }
    if (type === 'server_hello') this.transcript ??= this.#start(body.cipherSuite);
    this.transcript = this.#transcript.append(bytes);
    if (type === 'server_hello') this.#agree(body.extensions.keyShare, body.extensions.preSharedKey !== undefined);
    if (type === 'finished' && this.#secrets !== undefined) {
      const { main } = this.#secrets;
      const through = this.#transcript.digest();
      this.#application = { client: main.clientTraffic(through), server: main.serverTraffic(through) };
      this.wire.openWith(this.suite, this.#application.server);
    }
  }

  #start(code: number): Transcript {
    const name = knownName(cipherSuites, code);
    if (name === undefined || this.#hello === undefined) throw new Error('an answer to nothing, or of no known suite');
    this.#suite = cipherSuite(name);
    return Transcript.start(this.provider.hash(this.suite.hash)).append(this.#hello);
  }

  #agree(keyShare: { group: number; keyExchange: Uint8Array } | undefined, resumed: boolean): void {
    const share = this.#shares.find(({ group }) => namedGroups[group] === keyShare?.group);
    const sharedSecret = keyShare && share?.decapsulate(keyShare.keyExchange);
    const psk = resumed ? this.#options.session?.psk : undefined;
    const handshake = EarlySecret.from(this.#transcript.hash, psk).handshake(sharedSecret);
    const through = this.#transcript.digest();
    this.#secrets = {
      client: handshake.clientTraffic(through),
      server: handshake.serverTraffic(through),
      main: handshake.main(),
    };
    this.wire.openWith(this.suite, this.#secrets.server);
    this.wire.sealWith(this.suite, this.#secrets.client);
  }

  #bound(hello: ClientHelloToSend, session: Session): Uint8Array {
    const hash = this.provider.hash(cipherSuite(session.cipherSuite).hash);
    const identity = { identity: session.ticket, obfuscatedTicketAge: session.ageAdd };
    const placeholder = [new Uint8Array(hash.length)];
    const preSharedKey = hello.extensions.preSharedKey ?? { identities: [identity], binders: placeholder };
    const message = encodeMessage('client_hello', { ...hello, extensions: { ...hello.extensions, preSharedKey } });
    if (preSharedKey.binders.length !== 1) return message;
    const before = this.transcript ?? Transcript.start(hash);
    const truncatedClientHello = truncateClientHello(message, placeholder);
    const binder = pskBinder({
      kind: 'res',
      earlySecret: EarlySecret.from(hash, session.psk),
      before,
      truncatedClientHello,
    });
    fillBinders(message, [(this.#options.binder ?? asItIs)(binder)]);
    return message;
  }

  get #transcript(): Transcript {
    if (this.transcript === undefined) throw new Error('the server has answered nothing yet');
    return this.transcript;
  }
}
