/** Attacks through the values of public-key cryptography: points off the curve, small subgroups, signatures that bend. */
import { nativeProvider, nodeCryptoProvider } from 'tls13-node-crypto';
import { describe, expect, it } from 'vitest';
import { nobleProvider } from '../../packages/tls13-core/src/crypto/noble.js';
import type { CryptoProvider } from '../../packages/tls13-core/src/crypto/provider.js';
import { type NamedGroupName, namedGroups, signatureSchemes } from '../../packages/tls13-core/src/registry.js';
import { decodeHandshake, encodeMessage } from '../../packages/tls13-core/src/wire/index.js';
import type { KeyKind } from '../../packages/tls13-core/test/engine/support/certificates.js';
import { HandClient } from '../../packages/tls13-core/test/engine/support/hand-client.js';
import { HandServer } from '../../packages/tls13-core/test/engine/support/hand-server.js';
import { changed } from '../../packages/tls13-core/test/engine/support/hello-changes.js';

const providers: readonly CryptoProvider[] = [nobleProvider, nodeCryptoProvider(), nativeProvider()];

/** Points of small order on Curve25519, which make the shared secret zero whatever the other half is (RFC 7748 §6.1). */
const lowOrder = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map((hex) => new Uint8Array(Buffer.from(hex, 'hex')));

/** The same on Curve448: zero, one, p - 1, p, p + 1 (RFC 7748 §6.2). */
const lowOrder448 = [
  '00'.repeat(56),
  `01${'00'.repeat(55)}`,
  `fe${'ff'.repeat(27)}fe${'ff'.repeat(27)}`,
  `${'ff'.repeat(28)}fe${'ff'.repeat(27)}`,
  `${'00'.repeat(28)}${'ff'.repeat(28)}`,
].map((hex) => new Uint8Array(Buffer.from(hex, 'hex')));

/** Where in each hybrid's share of a client the curve's part begins, and how long it is (RFC 9954). */
const hybrids = {
  X25519MLKEM768: { at: 1_184, length: 32 },
  SecP256r1MLKEM768: { at: 0, length: 65 },
  SecP384r1MLKEM1024: { at: 0, length: 97 },
} as const;
const hybridNames = Object.keys(hybrids) as (keyof typeof hybrids)[];

const coordinate = { secp256r1: 32, secp384r1: 48, secp521r1: 66 } as const;
const curves = ['secp256r1', 'secp384r1', 'secp521r1'] as const;

/** Uncompressed form, of a point that is on no curve of this size: x = y = 1. */
function offCurve(group: keyof typeof coordinate): Uint8Array {
  const size = coordinate[group];
  const point = new Uint8Array(1 + 2 * size);
  point[0] = 4;
  point[size] = 1;
  point[2 * size] = 1;
  return point;
}

describe.each(providers.map((provider) => [provider.name, provider] as const))('%s', (_name, provider) => {
  const toServer = (group: NamedGroupName, keyExchange: Uint8Array) =>
    new HandClient(provider, { groups: [group] }, { groups: [group] })
      .clientHello(changed(() => ({ keyShare: [{ group: namedGroups[group], keyExchange }] })))
      .expectRefusal('illegal_parameter');
  const toClient = (group: NamedGroupName, keyExchange: Uint8Array) =>
    new HandServer(provider, { groups: [group] }, { group }).serverHello((right) => ({
      ...right,
      extensions: { ...right.extensions, keyShare: { group: namedGroups[group], keyExchange } },
    })).end.engine;

  describe('all-zero X25519 (RFC 7748 §6.1, §7.4.2): a share of small order is an illegal_parameter', () => {
    it.each(lowOrder.map((point) => [Buffer.from(point).toString('hex').slice(0, 8), point] as const))(
      '%s…',
      (_hex, point) => {
        toServer('x25519', point);
        expect(toClient('x25519', point).error?.alert).toBe('illegal_parameter');
      },
    );
  });

  describe.runIf(provider.groups.includes('x448'))('all-zero X448 (RFC 7748 §6.2, §7.4.2): the same', () => {
    it.each(lowOrder448.map((point) => [Buffer.from(point).toString('hex').slice(0, 2), point] as const))(
      '%s…',
      (_hex, point) => {
        toServer('x448', point);
        expect(toClient('x448', point).error?.alert).toBe('illegal_parameter');
      },
    );
  });

  describe('hybrid groups (RFC 9954): neither half makes up for the other: illegal_parameter', () => {
    it.each(hybridNames)('%s: a curve part that is zero, or on no curve, beside a good ML-KEM key', (group) => {
      const { at, length } = hybrids[group];
      const share = Uint8Array.from(provider.generateKeyShare(group).keyExchange);
      toServer(group, share.fill(0, at, at + length));
      if (length > 32) toServer(group, share.fill(1, at + 1, at + length).fill(4, at, at + 1));
    });

    it.each(hybridNames)('%s: an ML-KEM key with a coefficient as large as the modulus (FIPS 203 §7.2)', (group) => {
      const { at, length } = hybrids[group];
      const share = Uint8Array.from(provider.generateKeyShare(group).keyExchange);
      const mlKem = at === 0 ? length : 0;
      toServer(group, share.fill(0xff, mlKem, mlKem + 3));
    });

    it.each(hybridNames)('%s: a share that is cut short, or longer', (group) => {
      const { keyExchange } = provider.generateKeyShare(group);
      for (const share of [
        keyExchange.subarray(1),
        keyExchange.subarray(0, -1),
        Uint8Array.from([...keyExchange, 0]),
      ]) {
        toServer(group, share);
        expect(toClient(group, share).error?.alert).toBe('illegal_parameter');
      }
    });
  });

  describe('wrong curve (§4.3.8.2, §4.3.3): illegal_parameter', () => {
    it.each([
      ['secp256r1', 'secp384r1'],
      ['secp384r1', 'secp521r1'],
      ['secp521r1', 'secp256r1'],
      ['x25519', 'secp256r1'],
      ['secp256r1', 'x25519'],
    ] as const)('a share of %s said to be of %s', (real, said) => {
      const { keyExchange } = provider.generateKeyShare(real);
      toServer(said, keyExchange);
      expect(toClient(said, keyExchange).error?.alert).toBe('illegal_parameter');
    });

    it('a key of P-384 that signs as ecdsa_secp256r1_sha256', () => {
      new HandServer(provider, {}, { kind: 'p384' })
        .through('certificate')
        .certificateVerify((right) => ({ ...right, algorithm: signatureSchemes.ecdsa_secp256r1_sha256 }))
        .expectRefusal('illegal_parameter');
    });
  });

  describe('invalid curve (Biehl, Meyer and Müller 2000; Jager et al. 2015; §4.3.8.2): illegal_parameter', () => {
    it.each(curves)('%s: a point that is not on it', (group) => {
      toServer(group, offCurve(group));
      expect(toClient(group, offCurve(group)).error?.alert).toBe('illegal_parameter');
    });

    it.each(curves)('%s: the point at infinity, a compressed point, a hybrid point', (group) => {
      const right = provider.generateKeyShare(group).keyExchange;
      const parity = 2 + ((right.at(-1) ?? 0) & 1);
      const compressed = Uint8Array.from([parity, ...right.subarray(1, 1 + coordinate[group])]);
      const hybrid = Uint8Array.from([parity + 4, ...right.subarray(1)]);
      for (const share of [Uint8Array.of(0), compressed, hybrid]) {
        toServer(group, share);
        expect(toClient(group, share).error?.alert).toBe('illegal_parameter');
      }
    });

    it.each(curves)('%s: a coordinate as large as the field', (group) => {
      const point = new Uint8Array(1 + 2 * coordinate[group]).fill(0xff);
      point[0] = 4;
      toServer(group, point);
      expect(toClient(group, point).error?.alert).toBe('illegal_parameter');
    });
  });

  describe('signatures that bend (§4.5.2): decrypt_error', () => {
    const signedBy = (kind: KeyKind, change: (signature: Uint8Array) => Uint8Array) =>
      new HandServer(provider, {}, { kind })
        .through('certificate')
        .certificateVerify((right) => ({ ...right, signature: change(Uint8Array.from(right.signature)) }))
        .expectRefusal('decrypt_error');

    it('ECDSA of zeros: r = s = 0 (CVE-2022-21449, "psychic signatures")', () => {
      signedBy('p256', () => Uint8Array.of(0x30, 6, 2, 1, 0, 2, 1, 0));
    });

    it('ECDSA with r = s = n, which is 0 modulo n', () => {
      const n = Buffer.from('00ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');
      signedBy('p256', () => Uint8Array.from([0x30, 70, 2, 33, ...n, 2, 33, ...n]));
    });

    it('ECDSA in BER that is not DER: a length in long form, a byte behind it', () => {
      signedBy('p256', (signature) => Uint8Array.from([0x30, 0x81, ...signature.subarray(1)]));
      signedBy('p256', (signature) => Uint8Array.from([...signature, 0]));
    });

    it('ECDSA as r and s alone, without DER (IEEE P1363)', () => {
      signedBy('p256', () => new Uint8Array(64).fill(1));
    });

    it('ECDSA with n - s in place of s, a good signature of its own, is another transcript: its Finished does not verify', () => {
      const server = new HandServer(provider, {}, { kind: 'p256' }).through('certificate');
      const { sendMessages } = server.wire;
      server.wire.sendMessages = (...messages) => sendMessages.apply(server.wire, messages.map(mirrored));
      server.certificateVerify();
      expect(server.end.engine.error).toBeUndefined();
      server.wire.sendMessages = sendMessages;
      server.finished().expectRefusal('decrypt_error');
    });

    it('Ed25519 with S + L in place of S (RFC 8032 §5.1.7)', () => {
      signedBy('ed25519', (signature) => plusGroupOrder(signature));
    });

    it.runIf(provider.signatureSchemes.includes('rsa_pss_rsae_sha256'))(
      'RSA: zero, one, the modulus, a byte too many, a byte too few',
      () => {
        signedBy('rsa', (signature) => signature.fill(0));
        signedBy('rsa', (signature) => {
          signature.fill(0)[signature.length - 1] = 1;
          return signature;
        });
        signedBy('rsa', (signature) => signature.fill(0xff));
        signedBy('rsa', (signature) => Uint8Array.from([0, ...signature]));
        signedBy('rsa', (signature) => signature.subarray(1));
      },
    );
  });
});

/** S + L, little-endian, in the second half: the same scalar, which a strict verifier refuses. */
function plusGroupOrder(signature: Uint8Array): Uint8Array {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + order;
  const bytes = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse();
  return Uint8Array.from([...signature.subarray(0, 32), ...bytes]);
}

/** A CertificateVerify of ECDSA on P-256 with the other of the two values of s that verify. */
function mirrored(message: Uint8Array): Uint8Array {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const { body } = decodeHandshake(message);
  if (!('signature' in body)) throw new Error('this is no CertificateVerify');
  const { algorithm, signature } = body;
  const length = signature[3] ?? 0;
  const r = signature.subarray(2, 4 + length);
  const s = BigInt(`0x${Buffer.from(signature.subarray(6 + length)).toString('hex')}`);
  const hex = (order - s).toString(16).padStart(64, '0');
  const bytes = Buffer.from(hex.replace(/^(?:00)+/, '').replace(/^[89a-f]/, '00$&'), 'hex');
  const content = Buffer.concat([r, Buffer.from([2, bytes.length]), bytes]);
  return encodeMessage('certificate_verify', {
    algorithm,
    signature: Uint8Array.from([0x30, content.length, ...content]),
  });
}
