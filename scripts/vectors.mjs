// Prints the folder of Wycheproof's test vectors, and fetches them there first if need be: Debian packages them. Only
// the files that the tests read are kept. `node scripts/vectors.mjs`
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { downloadPackages } from './lib/debian.mjs';
import { cacheFolder, output } from './lib/run.mjs';

const folder = join(cacheFolder, 'wycheproof-tls13');

/** Key agreement, AEAD, hash and signature files that TLS 1.3 has a use for. */
const wanted = new RegExp(
  `^(${[
    'aes_(gcm|ccm)',
    'chacha20_poly1305',
    'hkdf_sha(256|384)',
    'hmac_sha(256|384)',
    'x(25519|448)',
    'ecdh_secp(256|384|521)r1_ecpoint',
    'mlkem_(768|1024)(_encaps)?',
    'ecdsa_secp(256r1_sha256|384r1_sha384|521r1_sha512)',
    'ed(25519|448)',
    'rsa_pss_[0-9a-z_]+',
  ].join('|')})_test\\.json$`,
);

if (!existsSync(folder)) await fetchVectors();
console.log(folder);

async function fetchVectors() {
  mkdirSync(cacheFolder, { recursive: true });
  const aside = mkdtempSync(join(cacheFolder, '.wycheproof-'));
  try {
    const [deb] = await downloadPackages(aside, 'sid', ['golang-github-c2sp-wycheproof-dev']);
    if (deb === undefined || output('dpkg', ['-x', deb, join(aside, 'package')]) === undefined) {
      throw new Error('dpkg could not unpack the test vectors');
    }
    const source = readdirSync(join(aside, 'package'), { recursive: true }).find((path) =>
      /testvectors_v1$/.test(path),
    );
    if (source === undefined) throw new Error("no folder testvectors_v1 in Debian's package");
    const vectors = join(aside, 'package', source);
    for (const name of readdirSync(vectors)) {
      if (wanted.test(name)) cpSync(join(vectors, name), join(aside, 'kept', name));
    }
    try {
      renameSync(join(aside, 'kept'), folder);
    } catch (error) {
      // Another run was faster, and unpacked the same.
      if (!existsSync(folder)) throw error;
    }
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}
