/** The part of node:tls's TLSSocket that tells what a handshake has shown and negotiated. */
import type { KeyObject, X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import type { ConnectionInfo } from 'tls13-core';
import { leafOf, type PeerCheck, peerCertificateOf, peerKeyOf } from './peer.js';
import { SocketDuplex } from './socket-duplex.js';

export abstract class NegotiatedDuplex extends SocketDuplex {
  /** As of TLSSocket. */
  readonly encrypted = true;

  /** What the handshake negotiated; undefined until it is complete. */
  abstract get info(): ConnectionInfo | undefined;

  /** Whether the application may be told. */
  protected abstract get secured(): boolean;
  abstract get inEarlyData(): boolean;
  /** Who judges the peer; undefined where nobody asks for its certificate. */
  protected abstract get check(): PeerCheck | undefined;
  /** Client: the name asked for. */
  protected abstract get wantedName(): string | undefined;

  /** The last data, close_notify and the FIN go together: in one packet, if it is little. */
  override end(...parameters: readonly unknown[]): this {
    const { transport } = this;
    // Not so a handshake: it would wait for its own answer.
    if (transport !== undefined && this.secured && !this.inEarlyData) transport.moreFollows = true;
    return Reflect.apply(super.end, this, parameters);
  }

  get authorized(): boolean {
    const { peerCertificates = [], peerRawPublicKey, pskIdentity } = this.info ?? {};
    const shown = peerCertificates.length > 0 || peerRawPublicKey !== undefined;
    const checked = this.check !== undefined && shown;
    return pskIdentity !== undefined || (checked && this.authorizationError === null);
  }

  get authorizationError(): string | null {
    return this.check?.authorizationError ?? null;
  }

  get alpnProtocol(): string | false | null {
    return this.secured ? (this.info?.alpnProtocol ?? false) : null;
  }

  /** The name that the client asked for; false when it asked for none. */
  get servername(): string | false {
    return this.info?.serverName ?? this.wantedName ?? false;
  }

  getProtocol(): 'TLSv1.3' | null {
    return this.secured ? 'TLSv1.3' : null;
  }

  getCipher(): { name: string; standardName: string; version: string } | undefined {
    const { info } = this;
    if (info === undefined) return undefined;
    return { name: info.cipherSuite, standardName: info.cipherSuite, version: info.protocol };
  }

  /** The peer's certificate in node:tls's older shape; an empty object when it showed none, a raw public key included. */
  getPeerCertificate(detailed = false): PeerCertificate | Record<string, never> {
    return peerCertificateOf(this.info?.peerCertificates ?? [], detailed);
  }

  getPeerX509Certificate(): X509Certificate | undefined {
    return leafOf(this.info?.peerCertificates);
  }

  /** The key that the peer has shown, in a certificate or, where that was agreed on, alone (RFC 7250). */
  getPeerPublicKey(): KeyObject | undefined {
    return peerKeyOf(this.info);
  }

  /** Our own certificate. */
  getX509Certificate(): X509Certificate | undefined {
    return leafOf(this.info?.localCertificates);
  }

  isSessionReused(): boolean {
    return this.info?.resumed ?? false;
  }
}
