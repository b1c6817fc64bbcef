/** Signing of the portable provider: ECDSA, Ed25519 and Ed448 keys in PKCS#8 (RFC 5958, RFC 5915, RFC 8410). */
import type { p256 } from '@noble/curves/nist.js';
import { ECParameters, ECPrivateKey, id_ecPublicKey } from '@peculiar/asn1-ecc';
import { PrivateKeyInfo } from '@peculiar/asn1-pkcs8';
import { id_RSASSA_PSS, id_rsaEncryption } from '@peculiar/asn1-rsa';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import type { SignatureSchemeName } from '../registry.js';
import { type EdwardsCurve, findCurve, findEdwardsCurve } from './noble-certificate.js';
import { mlDsaSigner } from './noble-ml-dsa.js';
import type { Signer } from './provider.js';

export function nobleSigner(pkcs8: Uint8Array): Signer {
  const info = wellFormed(() => AsnConvert.parse(pkcs8, PrivateKeyInfo));
  const { algorithm, parameters } = info.privateKeyAlgorithm;
  if (algorithm === id_rsaEncryption || algorithm === id_RSASSA_PSS) {
    throw new TypeError(
      'the portable provider cannot sign with an RSA key: use an ECDSA P-256 key, the provider of tls13-node-crypto, or a Signer of your own',
    );
  }
  const privateKey = info.privateKey.buffer;
  if (algorithm === id_ecPublicKey) {
    const named = wellFormed(() => (parameters ? AsnConvert.parse(parameters, ECParameters).namedCurve : undefined));
    const known = named === undefined ? undefined : findCurve(named);
    if (known === undefined) {
      throw new TypeError(
        `the private key is on ${named ?? 'a curve without a name'}: wanted is P-256, P-384 or P-521`,
      );
    }
    const secret = new Uint8Array(wellFormed(() => AsnConvert.parse(privateKey, ECPrivateKey)).privateKey.buffer);
    return ecdsaSigner(known.scheme, known.curve, secret);
  }
  const edwards = findEdwardsCurve(algorithm);
  if (edwards !== undefined) {
    return edwardsSigner(edwards, new Uint8Array(wellFormed(() => AsnConvert.parse(privateKey, OctetString)).buffer));
  }
  const mlDsa = mlDsaSigner(pkcs8);
  if (mlDsa !== undefined) return mlDsa;
  throw new TypeError(
    `a private key of type ${algorithm} cannot sign in TLS 1.3: wanted is ECDSA (P-256, P-384, P-521), Ed25519, Ed448 or ML-DSA`,
  );
}

function ecdsaSigner(scheme: SignatureSchemeName, curve: typeof p256, secretKey: Uint8Array): Signer {
  if (!curve.utils.isValidSecretKey(secretKey)) throw new TypeError('the private key is not a scalar of its curve');
  // Hedged: RFC 6979's nonce with fresh randomness added, so that neither a bad random source nor a fault repeats one.
  return signer(scheme, (message) =>
    curve.sign(message, secretKey, { format: 'der', lowS: false, extraEntropy: true }),
  );
}

function edwardsSigner({ curve, name, scheme, length }: EdwardsCurve, seed: Uint8Array): Signer {
  if (seed.length !== length) throw new TypeError(`an ${name} private key has ${length} bytes, not ${seed.length}`);
  return signer(scheme, (message) => curve.sign(message, seed));
}

function signer(only: SignatureSchemeName, sign: (message: Uint8Array) => Uint8Array): Signer {
  return {
    schemes: [only],
    sign(scheme, message) {
      if (scheme !== only) throw new TypeError(`this key signs with ${only}, not with ${scheme}`);
      return sign(message);
    },
  };
}

function wellFormed<Result>(parse: () => Result): Result {
  try {
    return parse();
  } catch (cause) {
    throw new TypeError('the private key is not PKCS#8 in DER: wanted is "PRIVATE KEY", unencrypted', { cause });
  }
}
