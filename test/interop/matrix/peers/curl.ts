/** curl with OpenSSL. */
import { trusted } from '../../identities.js';
import { logging, type Peer, type Place, start, versionIn } from '../peer.js';

const groupNames = new Map([
  ['x25519', 'X25519'],
  ['x448', 'X448'],
  ['secp256r1', 'P-256'],
  ['secp384r1', 'P-384'],
  ['secp521r1', 'P-521'],
]);

/** @param hybrids whether its OpenSSL is 3.5 or newer */
export function curl(place: Place, id: string, hybrids: boolean): Peer {
  const modern = ['MLKEM768', 'MLKEM1024', 'SecP256r1MLKEM768', 'X25519MLKEM768', 'SecP384r1MLKEM1024'];
  return {
    id,
    name: 'curl',
    version: () => versionIn(place, /curl (\S+)/, 'curl', '--version'),
    lacks: {},
    follows: true,
    knows: {
      features: [
        ...['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
        ...[
          'TLS_AES_128_CCM_SHA256',
          'secp256r1',
          'secp384r1',
          'secp521r1',
          'x25519',
          'x448',
          'retry',
          'stateless-retry',
        ],
        ...['sni', 'large', 'small-records', 'client-p256', 'client-rsa', 'client-ed25519', 'client-rsaPss'],
        ...['no-client-certificate', 'ecdsa_secp256r1_sha256', 'ecdsa_secp384r1_sha384', 'ecdsa_secp521r1_sha512'],
        ...['ed25519', 'ed448', 'rsa_pss_rsae_sha256', 'rsa_pss_pss_sha256', 'peer-closes', 'grease'],
        ...(hybrids ? modern : []),
        ...['resumption', 'resumption-retry', 'key-log', 'our-padding', 'dynamic-records'],
        ...(hybrids ? ['early-data', 'early-data-rejected', 'early-data-retry', 'compress-zlib', 'compress-zstd'] : []),
        ...(hybrids ? ['compress-client'] : []),
      ],
      otherwise: 'curl cannot be told to, or its OpenSSL has it not',
    },
    client: async (port, wish) => {
      const { servername = 'localhost', suite, groups, identity } = wish;
      const program = start(place, [
        ...[
          ...logging(wish),
          'curl',
          '--silent',
          '--show-error',
          '--verbose',
          '--noproxy',
          '*',
          '--max-time',
          '30',
          '--http1.1',
        ],
        ...['--tlsv1.3', '--cacert', trusted.files.cert, '--resolve', `${servername}:${port}:127.0.0.1`],
        ...(suite === undefined ? [] : ['--tls13-ciphers', suite]),
        ...(groups === undefined ? [] : ['--curves', groups.map((group) => groupNames.get(group) ?? group).join(':')]),
        ...(wish.resume === true ? ['--location'] : []),
        ...(wish.earlyData === undefined ? [] : ['--tls-earlydata']),
        ...(identity === undefined ? [] : ['--cert', identity.cert, '--key', identity.key]),
        `https://${servername}:${port}/`,
      ]);
      return {
        program,
        service: 'http',
        said: async () => {
          const [, named] = await program.until(/SSL connection using TLSv1\.3 \/ (\S+)/);
          return {
            suite: named,
            verified: /SSL certificate verified|SSL certificate verify ok/.test(program.text),
          };
        },
        // It is done with its answer.
        close: () => {},
      };
    },
  };
}
