/** Go's crypto/tls. */
import { scratch } from '../../identities.js';
import { compile, type Peer, type Place, type Reasons, start, versionIn } from '../peer.js';
import { ownProgram, programFile, without } from './own-program.js';

const preference = 'crypto/tls chooses the scheme itself';

const lacks: Reasons = {
  TLS_AES_128_CCM_SHA256: 'crypto/tls has no CCM',
  TLS_AES_128_CCM_8_SHA256: 'crypto/tls has no CCM',
  x448: 'crypto/tls has no X448',
  MLKEM768: 'crypto/tls has ML-KEM in hybrids only',
  MLKEM1024: 'crypto/tls has ML-KEM in hybrids only',
  rsa_pss_rsae_sha384: { client: preference },
  rsa_pss_rsae_sha512: { client: preference },
  rsa_pss_pss_sha256: 'crypto/tls has no RSA-PSS keys',
  rsa_pss_pss_sha384: 'crypto/tls has no RSA-PSS keys',
  rsa_pss_pss_sha512: 'crypto/tls has no RSA-PSS keys',
  'client-rsaPss': 'crypto/tls has no RSA-PSS keys',
  ed448: 'crypto/tls has no Ed448',
  ...without('psk', 'crypto/tls has no external PSKs'),
  ...without('earlyData', 'crypto/tls has early data for QUIC only'),
  ...without('rawKeys', 'crypto/tls has no raw public keys'),
  ...without('compression', 'crypto/tls does not compress certificates'),
  'key-log': 'crypto/tls does not log EXPORTER_SECRET',
  'post-handshake': 'crypto/tls has no authentication after the handshake',
  delegated: 'crypto/tls has no delegated credentials',
  'record-size-limit': 'crypto/tls has no record_size_limit',
  'ech-grease': { client: 'crypto/tls sends no dummy' },
  'their-small-records': 'crypto/tls sizes its records itself',
  'their-padding': 'crypto/tls does not pad',
  'key-update': 'crypto/tls cannot be told to',
  'key-update-requested': 'crypto/tls cannot be told to',
};

export function go(place: Place, id: string): Peer {
  const program = scratch('go-peer');
  const build = ['env', 'HOME=/root', 'GOTOOLCHAIN=local', 'go', 'build', '-o', program];
  return {
    id,
    name: 'Go',
    version: () => versionIn(place, /go(\d\S+)/, 'go', 'version'),
    lacks,
    prepare: () => compile(place, [...build, programFile('peer.go')]),
    ...ownProgram({ start: (words) => start(place, [program, ...words]) }),
  };
}
