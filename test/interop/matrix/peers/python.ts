/** Python's ssl module. Suites, groups and schemes are OpenSSL's to choose there: by its file of configuration. */
import { writeFileSync } from 'node:fs';
import { scratch } from '../../identities.js';
import { hybrids, type Peer, type Place, type Reasons, type Role, start, versionIn, type Wish } from '../peer.js';
import { ownProgram, programFile, without } from './own-program.js';

const never: Reasons = {
  exporter: 'Python’s ssl has no exporters',
  'channel-binding': 'Python’s ssl has the channel bindings of TLS 1.2 only',
  ...without('earlyData', 'Python’s ssl has no early data'),
  ...without('rawKeys', 'Python’s ssl has no raw public keys'),
  ...without('ech', 'Python’s ssl has no ECH'),
  'psk-sha384': 'Python’s ssl takes keys for SHA-256',
  'compress-brotli': 'Debian builds OpenSSL without brotli',
  staple: 'Python’s ssl has no stapled responses',
  delegated: 'OpenSSL has no delegated credentials',
  authorities: 'Python’s ssl cannot be told to name them',
  'record-size-limit': 'OpenSSL has no record_size_limit',
  'their-small-records': 'Python’s ssl has no limit of records',
  'key-update': 'Python’s ssl cannot be told to',
  'key-update-requested': 'Python’s ssl cannot be told to',
  'ech-grease': { client: 'Python’s ssl has no ECH' },
};

/** With OpenSSL 3.0. */
export const lackedBy311: Reasons = {
  ...never,
  ...hybrids('since OpenSSL 3.5'),
  ...without('psk', 'since Python 3.13'),
  ...without('compression', 'since OpenSSL 3.2'),
};

export const lackedBy315: Reasons = {
  ...never,
  'compress-zlib': { server: 'Python’s ssl cannot have it compressed beforehand' },
  'compress-zstd': { server: 'Python’s ssl cannot have it compressed beforehand' },
};

export function python(place: Place, id: string, command: string, lacks: Reasons): Peer {
  return {
    id,
    name: 'Python',
    version: () => versionIn(place, /Python (\S+)/, command, '--version'),
    lacks,
    ...ownProgram({
      start: (words, wish, role) => {
        const program = programFile('peer.py');
        return start(place, ['env', `OPENSSL_CONF=${configuration(wish, role)}`, command, program, ...words]);
      },
      names: Object.fromEntries(groupNames),
    }),
  };
}

function configuration({ suite, groups, scheme, padding, pskAlone }: Wish, role: Role): string {
  const file = scratch(`python-${role}.cnf`);
  const lines = [
    'openssl_conf = whole',
    '[whole]',
    'ssl_conf = contexts',
    '[contexts]',
    'system_default = every',
    '[every]',
    // Otherwise CCM_8's short tag is not enough for it.
    ...(suite === 'TLS_AES_128_CCM_8_SHA256' ? ['CipherString = DEFAULT@SECLEVEL=0'] : []),
    ...(suite === undefined ? [] : [`Ciphersuites = ${suite}`]),
    ...(groups === undefined ? [] : [`Groups = ${groups.map((group) => groupNames.get(group) ?? group).join(':')}`]),
    ...(scheme === undefined ? [] : [`SignatureAlgorithms = ${scheme}`]),
    ...(pskAlone === true ? ['Options = AllowNoDHEKEX'] : []),
    ...(padding === undefined ? [] : [`RecordPadding = ${padding}`]),
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

const groupNames = new Map([
  ['secp256r1', 'P-256'],
  ['secp384r1', 'P-384'],
  ['secp521r1', 'P-521'],
  ['x25519', 'X25519'],
  ['x448', 'X448'],
]);
