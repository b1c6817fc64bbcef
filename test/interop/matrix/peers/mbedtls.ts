/** Mbed TLS, as Debian builds it. */
import { cipherSuites, signatureSchemes } from 'tls13-core';
import { scratch } from '../../identities.js';
import { compile, hybrids, type Peer, type Place, type Reasons, start, versionIn } from '../peer.js';
import { groupNumbers, type Names, ownProgram, programFile, without } from './own-program.js';

const suites: Names = Object.fromEntries(Object.entries(cipherSuites).map(([name, code]) => [name, `${code}`]));

/** The authority signs with ECDSA. */
const schemes: Names = Object.fromEntries(
  Object.entries(signatureSchemes).map(([name, code]) => [name, `${code},${signatureSchemes.ecdsa_secp256r1_sha256}`]),
);

const noKeyUpdate = 'Mbed TLS has no KeyUpdate';
const noPss = 'Mbed TLS has no RSA-PSS keys';

const lacks: Reasons = {
  ...hybrids('Mbed TLS has no ML-KEM'),
  ed25519: 'Mbed TLS has no Ed25519',
  'client-ed25519': 'Mbed TLS has no Ed25519',
  ed448: 'Mbed TLS has no Ed448',
  rsa_pss_pss_sha256: noPss,
  rsa_pss_pss_sha384: noPss,
  rsa_pss_pss_sha512: noPss,
  'client-rsaPss': noPss,
  ...without('earlyData', 'Debian builds it without early data'),
  ...without('rawKeys', 'Mbed TLS has no raw public keys'),
  ...without('compression', 'Mbed TLS does not compress certificates'),
  ...without('ech', 'Mbed TLS has no ECH'),
  'psk-sha384': 'Mbed TLS takes keys for SHA-256',
  'key-log': 'Mbed TLS does not tell the secret of exporters',
  'post-handshake': 'Mbed TLS has no authentication after the handshake',
  staple: 'Mbed TLS has no stapled responses',
  delegated: 'Mbed TLS has no delegated credentials',
  authorities: 'Mbed TLS names none in TLS 1.3',
  'record-size-limit': 'Debian builds it without record_size_limit',
  'key-update': noKeyUpdate,
  'key-update-requested': noKeyUpdate,
  'our-key-update': noKeyUpdate,
  'ech-grease': { client: 'Mbed TLS has no ECH' },
};

const faults: Reasons = {
  'stateless-retry': 'it refuses a cookie, as an extension that it has not asked for (§4.3.2)',
  grease: { server: 'it refuses modes in psk_key_exchange_modes that it does not know (§2.2 of RFC 8701)' },
};

export function mbedtls(place: Place, id: string): Peer {
  const program = scratch('mbedtls-peer');
  return {
    id,
    name: 'Mbed TLS',
    version: () => versionIn(place, /(\S+)/, program, 'version'),
    lacks,
    faults,
    prepare: () => {
      const [, common = '', own = ''] = ['peer.h', 'peer.c', 'mbedtls.c'].map(programFile);
      compile(place, ['gcc', '-O1', '-o', program, common, own, '-lmbedtls', '-lmbedx509', '-lmbedcrypto']);
    },
    ...ownProgram({
      start: (words) => start(place, [program, ...words]),
      names: { ...suites, ...schemes, ...groupNumbers },
      saidNames: suites,
    }),
  };
}
