/**
 * A client by hand for the tests of the server's machine: it says whatever a test wants, right or wrong, under the real
 * key schedule. The right values are the defaults; a test overrides the one it is about.
 */
import type { Credential, ServerConfig } from '../../src/config/index.js';
import { nobleProvider } from '../../src/crypto/noble.js';
import type { EphemeralKey } from '../../src/crypto/provider.js';
import { cipherSuite } from '../../src/crypto/suites.js';
import { signedContent } from '../../src/handshake/certificate-verify.js';
import { pskBinder } from '../../src/handshake/psk.js';
import {
  type ServerContext,
  type ServerState,
  serverStart,
  serverTransitions,
} from '../../src/handshake/server/index.js';
import { advance } from '../../src/handshake/step.js';
import { finishedVerifyData } from '../../src/keys/finished.js';
import { EarlySecret, type MainSecret, resumptionPsk, type Secret } from '../../src/keys/schedule.js';
import { Transcript } from '../../src/keys/transcript.js';
import { type CipherSuiteName, cipherSuites, knownName, type NamedGroupName, namedGroups } from '../../src/registry.js';
import { serverSettings } from '../../src/settings/index.js';
import { createTicketKeys } from '../../src/ticket-keys.js';
import {
  decodeHandshake,
  encodeMessage,
  fillBinders,
  type HandshakeMessage,
  type HandshakeMessageType,
  type MessageBodiesToSend,
  truncateClientHello,
} from '../../src/wire/index.js';
import { newIdentity } from './client-support.js';
import { DrivenMachine } from './driven-machine.js';

export const provider = nobleProvider;

export const identity = newIdentity();
export const clientIdentity = newIdentity();

export function credentialOf({ certificate, pkcs8 }: ReturnType<typeof newIdentity>): Credential {
  return { certificateChain: [certificate], signer: provider.signer(pkcs8) };
}

/** A server whose settings a test overrides; its machine is driven message by message. */
export class TestServer extends DrivenMachine<ServerState> {
  readonly context: ServerContext;

  constructor(config: Partial<ServerConfig> = {}) {
    super('server', { next: serverStart, effects: [] });
    this.context = {
      settings: serverSettings({
        provider,
        groups: ['x25519', 'secp256r1'],
        credentials: [credentialOf(identity)],
        ...config,
      }),
    };
  }

  /** Every effect of the last step in short, for comparing orders. */
  get summary(): readonly string[] {
    return this.effects.map((effect) => {
      if (effect.type === 'send') return `send ${decodeHandshake(effect.message).type}`;
      if (effect.type === 'K_send' || effect.type === 'K_recv') return `${effect.type} ${effect.epoch}`;
      return effect.type === 'key_log' ? `key_log ${effect.label}` : effect.type;
    });
  }

  get messages(): readonly Uint8Array[] {
    return this.effects.flatMap((effect) => (effect.type === 'send' ? [effect.message] : []));
  }

  /** The only message of that type among the last step's effects. */
  sent<Type extends HandshakeMessageType>(type: Type): Extract<HandshakeMessage, { readonly type: Type }> {
    const [message, ...others] = this.messages.map((bytes) => decodeHandshake(bytes)).filter(isOf(type));
    if (message === undefined || others.length > 0) throw new Error(`wanted one ${type}, saw ${this.summary}`);
    return message;
  }

  protected override advance(message: Uint8Array) {
    return advance(serverTransitions, this.state, message, this.context);
  }
}

type HelloToSend = MessageBodiesToSend['client_hello'];
type HelloExtensions = HelloToSend['extensions'];

/** What a client keeps for resuming. */
export interface StoredTicket {
  readonly ticket: Uint8Array;
  readonly psk: Uint8Array;
  readonly suite: CipherSuiteName;
  readonly ageAdd: number;
}

/** What a test may change of the client's part. */
export interface ClientOptions {
  readonly suites?: readonly CipherSuiteName[];
  readonly groups?: readonly NamedGroupName[];
  /** Groups to send a share for. */
  readonly shares?: readonly NamedGroupName[];
  /** Offered in this order. */
  readonly tickets?: readonly StoredTicket[] | undefined;
  /** Milliseconds since the tickets came. */
  readonly age?: number;
  readonly extensions?: Partial<HelloExtensions>;
  readonly changes?: Partial<HelloToSend>;
}

export class TestClient {
  readonly options: ClientOptions;
  readonly random: Uint8Array = new Uint8Array(32).fill(0x43);
  #keys: readonly EphemeralKey[] = [];
  #hello: Uint8Array = new Uint8Array(0);
  #first: Uint8Array | undefined;
  #retry: Uint8Array | undefined;
  #transcript: Transcript | undefined;
  #secrets: { client: Secret; server: Secret; main: MainSecret } | undefined;

  constructor(options: ClientOptions = {}) {
    this.options = options;
  }

  get transcript(): Transcript {
    if (this.#transcript === undefined) throw new Error('there is no transcript before the ServerHello');
    return this.#transcript;
  }

  get secrets() {
    if (this.#secrets === undefined) throw new Error('there is no secret before the ServerHello');
    return this.#secrets;
  }

  /** The first ClientHello, or after `takeRetry` the second. */
  hello(more: ClientOptions = {}): Uint8Array {
    const { suites, groups, shares, age, changes, ...given }: ClientOptions = { ...this.options, ...more };
    const tickets = given.tickets?.length === 0 ? undefined : given.tickets;
    const supported = groups ?? ['x25519', 'secp256r1'];
    this.#keys = (shares ?? supported.slice(0, 1)).map((group) => provider.generateKeyShare(group));
    const message = encodeMessage('client_hello', {
      legacyVersion: 0x0303,
      random: this.random,
      legacySessionId: new Uint8Array(32).fill(0x53),
      cipherSuites: (suites ?? (['TLS_AES_128_GCM_SHA256'] as const)).map((name) => cipherSuites[name]),
      legacyCompressionMethods: Uint8Array.of(0),
      ...changes,
      extensions: {
        supportedVersions: [0x0304],
        supportedGroups: supported.map((group) => namedGroups[group]),
        signatureAlgorithms: [0x0807, 0x0403],
        keyShare: this.#keys.map(({ group, keyExchange }) => ({ group: namedGroups[group], keyExchange })),
        pskKeyExchangeModes: [1],
        preSharedKey: tickets && offeredPsks(tickets, age ?? 1000),
        ...this.options.extensions,
        ...more.extensions,
        ...changes?.extensions,
      },
    });
    if (tickets !== undefined) this.#bind(message, tickets);
    if (this.#retry === undefined) this.#first = message;
    this.#hello = message;
    return message;
  }

  takeRetry(server: TestServer): void {
    this.#retry = server.sent('hello_retry_request').bytes;
  }

  /** Follows the server's flight as it stands in its last step. */
  takeFlight(server: TestServer): this {
    const { body, bytes } = server.sent('server_hello');
    const [, ...rest] = server.messages;
    const suite = this.#suite(body.cipherSuite);
    const share = body.extensions.keyShare;
    const key = this.#keys.find(({ group }) => namedGroups[group] === share?.group);
    const sharedSecret = share && key?.decapsulate(share.keyExchange);
    if (sharedSecret === undefined) throw new Error('the ServerHello has no share that suits');
    this.#transcript = this.#before(suite).append(this.#hello).append(bytes);
    const selected = body.extensions.preSharedKey;
    const psk = selected === undefined ? undefined : this.options.tickets?.[selected]?.psk;
    const handshake = EarlySecret.from(this.#transcript.hash, psk).handshake(sharedSecret);
    const client = handshake.clientTraffic(this.#transcript.digest());
    const serverSecret = handshake.serverTraffic(this.#transcript.digest());
    this.#secrets = { client, server: serverSecret, main: handshake.main() };
    for (const message of rest) this.#takeFlightMessage(message);
    return this;
  }

  /** Empty when the client has none. */
  certificate(
    chain: readonly Uint8Array[] = [clientIdentity.certificate],
    changes: Partial<MessageBodiesToSend['certificate']> = {},
  ): Uint8Array {
    return this.#add(
      encodeMessage('certificate', {
        certificateRequestContext: new Uint8Array(0),
        certificateList: chain.map((certData) => ({ certData, extensions: {} })),
        ...changes,
      }),
    );
  }

  certificateVerify(changes: Partial<MessageBodiesToSend['certificate_verify']> = {}): Uint8Array {
    const content = signedContent('client', this.transcript.digest());
    const signature = credentialOf(clientIdentity).signer.sign('ed25519', content);
    if (signature instanceof Promise) throw new Error('the test signer answers at once');
    return this.#add(encodeMessage('certificate_verify', { algorithm: 0x0807, signature, ...changes }));
  }

  finished(change: (verifyData: Uint8Array) => Uint8Array = (right) => right): Uint8Array {
    const verifyData = finishedVerifyData(this.transcript.hash, this.secrets.client, this.transcript.digest());
    return this.#add(encodeMessage('finished', { verifyData: change(verifyData) }));
  }

  /** The tickets among the messages of the server's last step. */
  takeTickets(server: TestServer): readonly StoredTicket[] {
    const resumption = this.secrets.main.resumption(this.transcript.digest());
    const { hash } = this.transcript;
    const suite = hash.name === 'sha256' ? 'TLS_AES_128_GCM_SHA256' : 'TLS_AES_256_GCM_SHA384';
    return server.messages.map((bytes) => {
      const message = decodeHandshake(bytes);
      if (message.type !== 'new_session_ticket') throw new Error(`${message.type} where a ticket was wanted`);
      const { ticket, ticketNonce, ticketAgeAdd } = message.body;
      return { ticket, psk: resumptionPsk(hash, resumption, ticketNonce), suite, ageAdd: ticketAgeAdd };
    });
  }

  #suite(code: number) {
    const name = knownName(cipherSuites, code);
    if (name === undefined) throw new Error(`cipher suite ${code}`);
    return cipherSuite(name);
  }

  #before({ hash }: { readonly hash: 'sha256' | 'sha384' }): Transcript {
    const start = Transcript.start(provider.hash(hash));
    if (this.#retry === undefined || this.#first === undefined) return start;
    return start.append(this.#first).messageHash().append(this.#retry);
  }

  #bind(message: Uint8Array, tickets: readonly StoredTicket[]): void {
    const placeholders = offeredPsks(tickets, 0).binders;
    const truncatedClientHello = truncateClientHello(message, placeholders);
    fillBinders(
      message,
      tickets.map(({ psk, suite }) => {
        const { hash } = cipherSuite(suite);
        const earlySecret = EarlySecret.from(provider.hash(hash), psk);
        return pskBinder({ kind: 'res', earlySecret, before: this.#before({ hash }), truncatedClientHello });
      }),
    );
  }

  /** A server's Finished must verify, or the client's half of the key schedule would prove nothing. */
  #takeFlightMessage(bytes: Uint8Array): void {
    const message = decodeHandshake(bytes);
    if (message.type === 'finished') {
      const { hash } = this.transcript;
      const wanted = finishedVerifyData(hash, this.secrets.server, this.transcript.digest());
      if (Buffer.compare(wanted, message.body.verifyData) !== 0) throw new Error("the server's Finished is wrong");
    }
    this.#add(bytes);
  }

  #add(message: Uint8Array): Uint8Array {
    this.#transcript = this.transcript.append(message);
    return message;
  }
}

function offeredPsks(tickets: readonly StoredTicket[], age: number) {
  return {
    identities: tickets.map(({ ticket, ageAdd }) => ({
      identity: ticket,
      obfuscatedTicketAge: (age + ageAdd) % 2 ** 32,
    })),
    binders: tickets.map(({ suite }) => new Uint8Array(cipherSuite(suite).hash === 'sha256' ? 32 : 48)),
  };
}

/** One server process's worth of time and ticket keys. */
export function resumable(config: Partial<ServerConfig> = {}) {
  const clock = { milliseconds: 1_800_000_000_000 };
  const now = () => clock.milliseconds;
  const protector = createTicketKeys(provider, { now });
  const whole: Partial<ServerConfig> = { now, tickets: { protector }, ...config };
  return { clock, config: whole };
}

/** A whole full handshake, and the tickets it ends in. */
export function ticketsFrom(config: Partial<ServerConfig>, options: ClientOptions = {}): readonly StoredTicket[] {
  const server = new TestServer(config);
  const client = new TestClient(options);
  server.receive(client.hello());
  client.takeFlight(server);
  if (server.state.name === 'WAIT_CERT') {
    server.receive(client.certificate());
    server.receive(client.certificateVerify());
  }
  server.receive(client.finished());
  return client.takeTickets(server);
}

function isOf<Type extends HandshakeMessageType>(type: Type) {
  return (message: HandshakeMessage): message is Extract<HandshakeMessage, { readonly type: Type }> =>
    message.type === type;
}
