/** wolfSSL, as Debian builds it. */
import { scratch } from '../../identities.js';
import { compile, hybrids, type Peer, type Place, type Reasons, start, versionIn } from '../peer.js';
import { groupNumbers, type Names, ownProgram, programFile, without } from './own-program.js';

const suites: Names = {
  TLS_AES_128_GCM_SHA256: 'TLS13-AES128-GCM-SHA256',
  TLS_AES_256_GCM_SHA384: 'TLS13-AES256-GCM-SHA384',
  TLS_CHACHA20_POLY1305_SHA256: 'TLS13-CHACHA20-POLY1305-SHA256',
  TLS_AES_128_CCM_SHA256: 'TLS13-AES128-CCM-SHA256',
  TLS_AES_128_CCM_8_SHA256: 'TLS13-AES128-CCM-8-SHA256',
};

/** The authority signs with ECDSA. */
const schemes: Names = {
  ecdsa_secp256r1_sha256: 'ECDSA+SHA256',
  ecdsa_secp384r1_sha384: 'ECDSA+SHA384:ECDSA+SHA256',
  ecdsa_secp521r1_sha512: 'ECDSA+SHA512:ECDSA+SHA256',
  ed25519: 'ED25519:ECDSA+SHA256',
  ed448: 'ED448:ECDSA+SHA256',
  rsa_pss_rsae_sha256: 'RSA-PSS+SHA256:ECDSA+SHA256',
  rsa_pss_rsae_sha384: 'RSA-PSS+SHA384:ECDSA+SHA256',
  rsa_pss_rsae_sha512: 'RSA-PSS+SHA512:ECDSA+SHA256',
  rsa_pss_pss_sha256: 'RSA-PSS+SHA256:ECDSA+SHA256',
  rsa_pss_pss_sha384: 'RSA-PSS+SHA384:ECDSA+SHA256',
  rsa_pss_pss_sha512: 'RSA-PSS+SHA512:ECDSA+SHA256',
};

const saidGroups: Names = {
  secp256r1: 'SECP256R1',
  secp384r1: 'SECP384R1',
  secp521r1: 'SECP521R1',
  x25519: 'X25519',
  x448: 'X448',
};

const never: Reasons = {
  ...without('earlyData', 'Debian builds it without early data'),
  ...without('compression', 'wolfSSL does not compress certificates'),
  'key-log': 'Debian builds it without key logs',
  staple: { server: 'wolfSSL asks a responder itself', client: 'wolfSSL does not say what it was given' },
  delegated: 'wolfSSL has no delegated credentials',
  'record-size-limit': 'wolfSSL has no record_size_limit',
  'their-padding': 'wolfSSL does not pad',
  'key-update': 'wolfSSL always asks for ours',
};

const noPss = 'wolfSSL 5.5 has no RSA-PSS keys';

export const lackedBy55: Reasons = {
  ...never,
  rsa_pss_pss_sha256: noPss,
  rsa_pss_pss_sha384: noPss,
  rsa_pss_pss_sha512: noPss,
  'client-rsaPss': noPss,
  ...hybrids('Debian builds it without ML-KEM'),
  ...without('ech', 'Debian builds it without ECH'),
  ...without('rawKeys', 'since wolfSSL 5.6.4'),
  'post-handshake': { server: 'its request waits for something that it goes with' },
  authorities: 'wolfSSL 5.5 has none in TLS 1.3',
  'ech-grease': { client: 'Debian builds it without ECH' },
};

export const lackedBy59: Reasons = {
  ...never,
  MLKEM768: 'Debian builds it with ML-KEM in hybrids only',
  MLKEM1024: 'Debian builds it with ML-KEM in hybrids only',
  rsa_pss_pss_sha256: { server: 'wolfSSL’s servers do not sign with RSA-PSS keys' },
  rsa_pss_pss_sha384: { server: 'wolfSSL’s servers do not sign with RSA-PSS keys' },
  rsa_pss_pss_sha512: { server: 'wolfSSL’s servers do not sign with RSA-PSS keys' },
};

const innerSessionId = 'its inner ClientHello has a legacy_session_id, which is empty there (RFC 9849 §5.1)';

export const faultsOf59: Reasons = {
  ech: { client: innerSessionId },
  'ech-retry': { client: innerSessionId },
};

export function wolfssl(place: Place, id: string, lacks: Reasons, faults: Reasons = {}): Peer {
  const program = scratch('wolfssl-peer');
  return {
    id,
    name: 'wolfSSL',
    version: () => versionIn(place, /(\S+)/, program, 'version'),
    lacks,
    faults,
    prepare: () => {
      const [, common = '', own = ''] = ['peer.h', 'peer.c', 'wolfssl.c'].map(programFile);
      compile(place, ['gcc', '-O1', '-o', program, common, own, '-lwolfssl']);
    },
    ...ownProgram({
      start: (words) => start(place, [program, ...words]),
      names: { ...suites, ...schemes, ...groupNumbers },
      saidNames: { ...suites, ...saidGroups },
    }),
  };
}
