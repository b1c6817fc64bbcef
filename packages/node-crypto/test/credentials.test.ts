// Keys and chains in the forms people keep them, and the sentences about those that do not fit.
import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { credential, nativeProvider, privateKey, readCertificates } from '../src/index.js';
import { pattern } from './oracle.js';
import { authority, curveKey, Pki, serverLeaf } from './pki.js';

const pki = new Pki();
afterAll(() => pki.remove());

const root = pki.issue({ name: 'root', extensions: authority });
const intermediate = pki.issue({ name: 'intermediate', extensions: authority, issuer: root });
const leaf = pki.issue({ extensions: serverLeaf, issuer: intermediate });
const chain = [leaf.der, intermediate.der];

describe('credential', () => {
  const bundle = leaf.pem + intermediate.pem;

  it.each([
    { what: 'a PEM bundle', cert: bundle },
    {
      what: 'a PEM bundle with a preface and Windows line ends',
      cert: `Subject: x\n${bundle}`.replaceAll('\n', '\r\n'),
    },
    { what: 'PEM in bytes', cert: Buffer.from(bundle) },
    { what: 'one file with certificates and key', cert: leaf.keyPem + bundle },
    { what: 'PEM texts', cert: [leaf.pem, intermediate.pem] },
    { what: 'DER', cert: [leaf.der, intermediate.der] },
    { what: 'X509Certificate', cert: [new X509Certificate(leaf.pem), new X509Certificate(intermediate.pem)] },
    { what: 'a mixture', cert: [leaf.pem, intermediate.der] },
  ])('reads $what', async ({ cert }) => {
    const { certificateChain, signer } = credential({ cert, key: leaf.keyPem });
    expect(certificateChain).toEqual(chain);
    const signature = await signer.sign('ecdsa_secp256r1_sha256', pattern(20));
    const { verify } = nativeProvider().certificateKey(leaf.der);
    expect(verify('ecdsa_secp256r1_sha256', pattern(20), signature)).toBe(true);
  });

  it('may leave the root out or bring it, and may be a leaf alone', () => {
    expect(credential({ cert: leaf.pem, key: leaf.key }).certificateChain).toEqual([leaf.der]);
    expect(credential({ cert: [bundle, root.pem], key: leaf.key }).certificateChain).toEqual([...chain, root.der]);
  });

  it('signs by a given provider, or aside', async () => {
    const asked: Uint8Array[] = [];
    const provider = {
      signer: (pkcs8: Uint8Array) => {
        asked.push(pkcs8);
        return nativeProvider().signer(pkcs8);
      },
    };
    credential({ cert: bundle, key: leaf.key, provider });
    expect(asked).toEqual([new Uint8Array(leaf.key.export({ format: 'der', type: 'pkcs8' }))]);
    const { signer } = credential({ cert: bundle, key: leaf.key, asynchronous: true });
    expect(signer.sign('ecdsa_secp256r1_sha256', pattern(3))).toBeInstanceOf(Promise);
  });

  it.each([
    { what: 'another key', cert: bundle, key: curveKey(), says: /not that of the certificate of CN=host.example/ },
    { what: "the issuer's key", cert: bundle, key: intermediate.key, says: /belongs to certificate 2 of the chain/ },
    {
      what: 'the wrong order',
      cert: [intermediate.pem, leaf.pem],
      key: leaf.key,
      says: /certificate 2.*put that one first/,
    },
    {
      what: 'a gap',
      cert: [leaf.pem, root.pem],
      key: leaf.key,
      says: /certificate 1 .* was not issued by certificate 2/,
    },
    { what: 'no certificate', cert: [], key: leaf.key, says: /list is empty/ },
    {
      what: 'text',
      cert: 'host.pem',
      key: leaf.key,
      says: /no certificate is in this PEM text: it holds no PEM block/,
    },
    { what: 'a key as certificate', cert: leaf.keyPem, key: leaf.key, says: /it holds PRIVATE KEY/ },
    { what: 'bytes', cert: pattern(100), key: leaf.key, says: /certificate 1 is not readable/ },
    { what: 'bytes behind DER', cert: Uint8Array.from([...leaf.der, 0]), key: leaf.key, says: /bytes behind its end/ },
    { what: 'a certificate as key', cert: bundle, key: leaf.pem, says: /no private key is in this PEM text/ },
    { what: 'bytes as key', cert: bundle, key: pattern(50), says: /not readable as PKCS#8, SEC 1 or PKCS#1/ },
    { what: 'a public key', cert: bundle, key: createPublicKey(leaf.key), says: /this is a public key/ },
  ])('refuses $what with a sentence', ({ cert, key, says }) => {
    expect(() => credential({ cert, key })).toThrow(TypeError);
    expect(() => credential({ cert, key })).toThrow(says);
  });

  it('refuses two authorities of one name by their signatures', () => {
    const other = pki.issue({ name: 'intermediate', extensions: authority, issuer: root });
    expect(() => credential({ cert: [leaf.pem, other.pem], key: leaf.key })).toThrow(/was not issued by/);
  });

  it('refuses a key that TLS 1.3 cannot sign with', () => {
    const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
    expect(() => credential({ cert: pki.issue({ key }).pem, key })).toThrow(
      /signs with P-256, P-384 or P-521, and the key is on secp256k1/,
    );
  });
});

describe('privateKey', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const passphrase = 'correct horse';
  const cipher = { cipher: 'aes-256-cbc', passphrase };

  it.each([
    { what: 'PKCS#8 PEM', key: leaf.key, source: leaf.key.export({ format: 'pem', type: 'pkcs8' }) },
    { what: 'PKCS#8 DER', key: leaf.key, source: leaf.key.export({ format: 'der', type: 'pkcs8' }) },
    { what: 'SEC 1 PEM', key: leaf.key, source: leaf.key.export({ format: 'pem', type: 'sec1' }) },
    { what: 'SEC 1 DER', key: leaf.key, source: leaf.key.export({ format: 'der', type: 'sec1' }) },
    { what: 'PKCS#1 PEM', key: rsa, source: rsa.export({ format: 'pem', type: 'pkcs1' }) },
    { what: 'PKCS#1 DER', key: rsa, source: rsa.export({ format: 'der', type: 'pkcs1' }) },
    { what: 'a key object', key: rsa, source: rsa },
    { what: 'encrypted PKCS#8 PEM', key: rsa, source: rsa.export({ format: 'pem', type: 'pkcs8', ...cipher }) },
    {
      what: 'encrypted PKCS#8 DER',
      key: leaf.key,
      source: leaf.key.export({ format: 'der', type: 'pkcs8', ...cipher }),
    },
    { what: 'encrypted SEC 1 PEM', key: leaf.key, source: leaf.key.export({ format: 'pem', type: 'sec1', ...cipher }) },
  ])('reads $what', ({ key, source }) => {
    expect(privateKey(source, passphrase).equals(key)).toBe(true);
    if (typeof source === 'string') expect(privateKey(Buffer.from(source), passphrase).equals(key)).toBe(true);
  });

  it.each(['pem', 'der'] as const)(
    'asks for the passphrase of an encrypted key, and says if it is wrong: %s',
    (format) => {
      const options = { type: 'pkcs8', ...cipher } as const;
      const source =
        format === 'pem' ? leaf.key.export({ format, ...options }) : leaf.key.export({ format, ...options });
      expect(() => privateKey(source)).toThrow(/is encrypted: give its passphrase/);
      expect(() => privateKey(source, 'wrong')).toThrow(/passphrase does not open/);
      expect(privateKey(source, passphrase).equals(createPrivateKey(leaf.keyPem))).toBe(true);
    },
  );
});

describe('readCertificates', () => {
  it('names the one that is not readable', () => {
    const broken = `${leaf.pem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`;
    expect(() => readCertificates(broken, 'root')).toThrow(/root 2 is not readable/);
  });
});
