/** The record layer of a peer by hand: seals whatever it is told to under the real keys, and opens what the engine says. */
import type { AlertName } from '../../../src/alert.js';
import { concat } from '../../../src/bytes.js';
import type { Aead, CryptoProvider } from '../../../src/crypto/provider.js';
import type { CipherSuite } from '../../../src/crypto/suites.js';
import { HandshakeJoiner } from '../../../src/engine/joiner.js';
import { ReceivingHalf } from '../../../src/engine/receiving.js';
import { asSecret, nextTrafficSecret, type Secret } from '../../../src/keys/schedule.js';
import { trafficKeys } from '../../../src/keys/traffic.js';
import { encodeHeader, plaintextRecords } from '../../../src/record/header.js';
import { NonceSequence } from '../../../src/record/nonce.js';
import { contentTypes } from '../../../src/registry.js';
import { decodeAlert, decodeHandshake, type HandshakeMessage } from '../../../src/wire/index.js';
import type { End } from './pair.js';

export class Wire {
  readonly end: End;
  /** What the engine said, opened. */
  readonly messages: HandshakeMessage[] = [];
  readonly alerts: { readonly level: number | undefined; readonly name: AlertName | undefined }[] = [];
  readonly data: Uint8Array[] = [];
  changeCipherSpecs = 0;
  readonly #provider: CryptoProvider;
  readonly #onMessage: (message: HandshakeMessage) => void;
  readonly #receiving: ReceivingHalf;
  readonly #joiner = new HandshakeJoiner(2 ** 24);
  #sealing: { suite: CipherSuite; secret: Secret; aead: Aead; nonces: NonceSequence } | undefined;

  constructor(provider: CryptoProvider, end: End, onMessage: (message: HandshakeMessage) => void) {
    this.#provider = provider;
    this.end = end;
    this.#onMessage = onMessage;
    this.#receiving = new ReceivingHalf(provider, 0, { recordVersions: false, unprotectedRecords: false });
  }

  sealWith(suite: CipherSuite, secret: Secret): void {
    const keys = trafficKeys(suite, this.#provider.hash(suite.hash), secret);
    const aead = this.#provider.aead(keys.aead, keys.key);
    this.#sealing = { suite, secret, aead, nonces: new NonceSequence(keys.iv, 0n) };
  }

  openWith(suite: CipherSuite, secret: Secret): void {
    this.#receiving.setSecret(suite, asSecret(Uint8Array.from(secret)));
  }

  updateSealing(): void {
    if (this.#sealing === undefined) throw new Error('nothing is sealed yet');
    const { suite, secret } = this.#sealing;
    this.sealWith(suite, nextTrafficSecret(this.#provider.hash(suite.hash), secret));
  }

  updateOpening(): void {
    this.#receiving.update();
  }

  /** Content in records, sealed as soon as there are keys. */
  send(contentType: number, content: Uint8Array): void {
    if (this.#sealing === undefined) return this.sendBytes(plaintextRecords(contentType, content));
    for (let start = 0; start === 0 || start < content.length; start += 16_384) {
      this.sendBytes(this.sealed(concat(content.subarray(start, start + 16_384), Uint8Array.of(contentType))));
    }
  }

  sendMessages(...messages: readonly Uint8Array[]): void {
    this.send(contentTypes.handshake, concat(...messages));
  }

  sendAlert(level: number, description: number): void {
    this.send(contentTypes.alert, Uint8Array.of(level, description));
  }

  /** A record in clear whatever the keys are. */
  sendInClear(contentType: number, content: Uint8Array): void {
    this.sendBytes(concat(encodeHeader(contentType, content.length), content));
  }

  /** A TLSInnerPlaintext as it is, type and padding included. */
  sealed(inner: Uint8Array): Uint8Array {
    if (this.#sealing === undefined) throw new Error('there is no key to seal with yet');
    const { aead, nonces } = this.#sealing;
    const header = encodeHeader(contentTypes.application_data, inner.length + aead.tagLength);
    const record = concat(header, aead.seal(nonces.nonce(), header, inner));
    nonces.advance();
    return record;
  }

  /** Bytes on the wire, and what the engine answers to them. */
  sendBytes(bytes: Uint8Array): void {
    const lent = bytes.slice();
    this.end.take(this.end.engine.receive(lent));
    lent.fill(0xee);
    this.read();
  }

  /** Takes what the engine has said so far. */
  read(): void {
    for (const bytes of this.end.outgoing.splice(0)) this.#receiving.push(bytes);
    for (;;) {
      const message = this.#joiner.next();
      if (message !== undefined) {
        const decoded = decodeHandshake(message.slice());
        this.messages.push(decoded);
        this.#onMessage(decoded);
        continue;
      }
      const fragment = this.#receiving.next();
      if (fragment === undefined) return;
      if (fragment.contentType === contentTypes.handshake) this.#joiner.push(fragment.content);
      else if (fragment.contentType === contentTypes.alert)
        this.alerts.push({ level: fragment.content[0], name: decodeAlert(fragment.content).name });
      else if (fragment.contentType === contentTypes.change_cipher_spec) this.changeCipherSpecs += 1;
      else this.data.push(fragment.content.slice());
    }
  }
}
