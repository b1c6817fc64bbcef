/** Java's JSSE. */
import { scratch } from '../../identities.js';
import { compile, hybrids, type Peer, type Place, type Reasons, start, versionIn } from '../peer.js';
import { ownProgram, programFile, without } from './own-program.js';

const never: Reasons = {
  TLS_AES_128_CCM_SHA256: 'JSSE has no CCM',
  TLS_AES_128_CCM_8_SHA256: 'JSSE has no CCM',
  ...without('psk', 'JSSE has no external PSKs'),
  ...without('earlyData', 'JSSE has no early data'),
  ...without('rawKeys', 'JSSE has no raw public keys'),
  ...without('ech', 'JSSE has no ECH'),
  'key-log': 'JSSE has no key log',
  'post-handshake': 'JSSE has no authentication after the handshake',
  delegated: 'JSSE has no delegated credentials',
  staple: { server: 'JSSE asks a responder itself' },
  'record-size-limit': 'JSSE has no record_size_limit',
  'their-padding': 'JSSE does not pad',
  'key-update': 'JSSE always asks for ours',
  'ech-grease': { client: 'JSSE has no ECH' },
};

export const lackedBy17: Reasons = {
  ...never,
  ...hybrids('since Java 27'),
  ...without('compression', 'since Java 27'),
  exporter: 'since Java 25',
  'channel-binding': 'since Java 25',
};

export const lackedBy27: Reasons = {
  ...never,
  MLKEM768: 'JSSE has ML-KEM in hybrids only',
  MLKEM1024: 'JSSE has ML-KEM in hybrids only',
  'compress-brotli': 'JSSE compresses with zlib',
  'compress-zstd': 'JSSE compresses with zlib',
};

/** @param folder where its programs are, with a slash; empty for those on the path */
export function java(place: Place, id: string, folder: string, lacks: Reasons): Peer {
  const classes = scratch('classes');
  return {
    id,
    name: 'Java',
    version: () => versionIn(place, /version "([\w.+-]+)"/, `${folder}java`, '-version'),
    lacks,
    prepare: () => compile(place, [`${folder}javac`, '-d', classes, programFile('Peer.java')]),
    ...ownProgram({
      start: (words) => start(place, [`${folder}java`, ...quick, '-cp', classes, 'Peer', ...words.map(oneShare)]),
    }),
  };
}

/** For programs that live a second. */
const quick = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto'];

/** It sends a share for the first of each kind of group: another curve ahead of P-256 leaves that without one. */
function oneShare(word: string): string {
  return word === 'groups=x25519,secp256r1' ? 'groups=x25519,secp384r1,secp256r1' : word;
}
