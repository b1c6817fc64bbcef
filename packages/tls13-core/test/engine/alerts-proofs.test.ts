/** Alert table, the proofs of both roles: CertificateVerify (§4.5.2) and Finished (§4.5.3). */
import { sign } from 'node:crypto';
import { describe, it } from 'vitest';
import { nobleProvider as provider } from '../../src/crypto/noble.js';
import { signedContent } from '../../src/handshake/certificate-verify.js';
import { signatureSchemes } from '../../src/registry.js';
import { identity, type KeyKind, schemesOf } from './support/certificates.js';
import type { Change, HandPeer } from './support/hand.js';
import { HandClient } from './support/hand-client.js';
import { HandServer } from './support/hand-server.js';

const roles = ['server', 'client'] as const;

/** A peer whose next message is its CertificateVerify, with a certificate of that kind. */
const beforeVerify = {
  server: (kind: KeyKind) => new HandServer(provider, {}, { kind }).through('certificate'),
  client: (kind: KeyKind) =>
    new HandClient(provider, { clientAuthentication: 'require' }, { kind }).clientHello().certificate(),
} as const;

describe.each(roles)('§4.5.2 the CertificateVerify of a %s is refused', (role) => {
  const signedWith = (peer: HandServer | HandClient, kind: KeyKind, algorithm: number, digest: string | null) => {
    const content = signedContent(role, peer.transcript?.digest() ?? new Uint8Array(0));
    return { algorithm, signature: sign(digest, content, identity(kind).privateKey) };
  };

  it.each(Object.keys(schemesOf) as KeyKind[])('a signature of %s with one bit changed: decrypt_error', (kind) => {
    const flip: Change<'certificate_verify'> = ({ algorithm, signature }) => ({
      algorithm,
      signature: signature.map((byte, index) => (index === signature.length - 3 ? byte ^ 4 : byte)),
    });
    beforeVerify[role](kind).certificateVerify(flip).expectRefusal('decrypt_error');
  });

  it.each(Object.keys(schemesOf) as KeyKind[])('a signature of %s of no bytes: decrypt_error', (kind) => {
    const nothing: Change<'certificate_verify'> = ({ algorithm }) => ({ algorithm, signature: new Uint8Array(0) });
    beforeVerify[role](kind).certificateVerify(nothing).expectRefusal('decrypt_error');
  });

  it("a signature under the other role's context: decrypt_error", () => {
    const peer = beforeVerify[role]('ed25519');
    const other = role === 'server' ? 'client' : 'server';
    const content = signedContent(other, peer.transcript?.digest() ?? new Uint8Array(0));
    const signature = sign(null, content, identity('ed25519').privateKey);
    peer.certificateVerify((right) => ({ ...right, signature })).expectRefusal('decrypt_error');
  });

  it("a signature with a scheme that is not the key's: illegal_parameter", () => {
    const peer = beforeVerify[role]('p256');
    const { signature } = signedWith(peer, 'p256', 0, 'sha384');
    const algorithm = signatureSchemes.ecdsa_secp384r1_sha384;
    peer.certificateVerify(() => ({ algorithm, signature })).expectRefusal('illegal_parameter');
  });

  it('PKCS#1 by an RSA key, which is for certificates only: illegal_parameter', () => {
    const peer = beforeVerify[role]('rsa');
    const right = signedWith(peer, 'rsa', signatureSchemes.rsa_pkcs1_sha256, 'sha256');
    peer.certificateVerify(() => right).expectRefusal('illegal_parameter');
  });

  it('§4.3.3 SHA-1: illegal_parameter', () => {
    const peer = beforeVerify[role]('rsa');
    const right = signedWith(peer, 'rsa', 0x0201, 'sha1');
    peer.certificateVerify(() => right).expectRefusal('illegal_parameter');
  });

  it('rsa_pss_pss by a key for rsa_pss_rsae: illegal_parameter', () => {
    const algorithm = signatureSchemes.rsa_pss_pss_sha256;
    const peer = beforeVerify[role]('rsa');
    peer.certificateVerify((right) => ({ ...right, algorithm })).expectRefusal('illegal_parameter');
  });

  it('a scheme that was not offered: illegal_parameter', () => {
    const only = { signatureSchemes: ['ed25519', 'rsa_pss_rsae_sha256'] } as const;
    const peer =
      role === 'server'
        ? new HandServer(provider, only, { kind: 'rsa' }).through('certificate')
        : new HandClient(provider, { ...only, clientAuthentication: 'require' }, { kind: 'rsa' })
            .clientHello()
            .certificate();
    const algorithm = signatureSchemes.rsa_pss_rsae_sha512;
    peer.certificateVerify((right) => ({ ...right, algorithm })).expectRefusal('illegal_parameter');
  });

  it('§6.2 a byte behind it: decode_error', () => {
    const peer = beforeVerify[role]('ed25519');
    peer.certificateVerify(() => Uint8Array.of(8, 7, 0, 0, 0)).expectRefusal('decode_error');
  });
});

describe('§4.5.3 a Finished is refused', () => {
  const peers: Readonly<Record<string, () => { finished(change: Change<'finished'>): HandPeer }>> = {
    "a server's": () => new HandServer(provider).through('certificate_verify'),
    "a client's": () => new HandClient(provider).clientHello(),
  };

  it.each(Object.entries(peers))('%s, wrong in one bit: decrypt_error', (_whose, peer) => {
    const flip: Change<'finished'> = ({ verifyData }) => ({
      verifyData: verifyData.map((byte, i) => (i === 0 ? byte ^ 128 : byte)),
    });
    peer().finished(flip).expectRefusal('decrypt_error');
  });

  it.each(Object.entries(peers))('%s, a byte short, a byte too long, empty: decrypt_error', (_whose, peer) => {
    for (const change of [
      (data: Uint8Array) => data.subarray(1),
      (data: Uint8Array) => Uint8Array.of(...data, 0),
      () => new Uint8Array(0),
    ]) {
      peer()
        .finished(({ verifyData }) => change(verifyData))
        .expectRefusal('decrypt_error');
    }
  });
});
