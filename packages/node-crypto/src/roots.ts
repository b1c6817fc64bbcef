/** Trust anchors: where certificates of certification authorities come from on this machine. */
import { existsSync, readFileSync } from 'node:fs';
import * as tls from 'node:tls';
import { derOf, readCertificates } from './pem.js';

/**
 * `bundled`: Mozilla's, inside this node. `system`: the operating system's. `extra`: the file that the environment
 * variable NODE_EXTRA_CA_CERTS names (empty without it).
 */
export type RootSource = 'bundled' | 'system' | 'extra';

/** The roots of one source or several as DER, none of them twice. Throws Error where the system's cannot be found. */
export function rootCertificates(...sources: readonly RootSource[]): readonly Uint8Array[] {
  const wanted: readonly RootSource[] = sources.length === 0 ? ['bundled'] : sources;
  return [...new Map(wanted.flatMap(rootsOf).map((der) => [Buffer.from(der).toString('latin1'), der])).values()];
}

/** Where distributions keep their bundle: Debian and its kin, Fedora and its kin, openSUSE, Alpine and the BSDs. */
const systemBundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

const cache = new Map<RootSource, readonly Uint8Array[]>();

function rootsOf(source: RootSource): readonly Uint8Array[] {
  const known = cache.get(source);
  if (known !== undefined) return known;
  const texts = pemOf(source);
  const roots = texts.length === 0 ? [] : readCertificates(texts, 'root').map(derOf);
  cache.set(source, roots);
  return roots;
}

function pemOf(source: RootSource): readonly string[] {
  switch (source) {
    case 'bundled':
      return tls.rootCertificates;
    case 'system':
      return byNode('system') ?? [systemBundle()];
    case 'extra':
      return byNode('extra') ?? extraFile();
    default:
      throw new TypeError(`roots are 'bundled', 'system' or 'extra', not ${String(source)}`);
  }
}

/** Node 22 and later know the system's store themselves, also where it is no file. */
function byNode(source: 'system' | 'extra'): readonly string[] | undefined {
  const getCertificates: unknown = Reflect.get(tls, 'getCACertificates');
  if (typeof getCertificates !== 'function') return undefined;
  const certificates: readonly string[] = getCertificates(source);
  return source === 'system' && certificates.length === 0 ? undefined : certificates;
}

function systemBundle(): string {
  const { SSL_CERT_FILE } = process.env;
  const candidates = SSL_CERT_FILE === undefined ? systemBundles : [SSL_CERT_FILE];
  const path = candidates.find((candidate) => existsSync(candidate));
  if (path !== undefined) return readFileSync(path, 'latin1');
  throw new Error(`no roots of the system were found: there is none of ${candidates.join(', ')}`);
}

function extraFile(): readonly string[] {
  const { NODE_EXTRA_CA_CERTS } = process.env;
  return NODE_EXTRA_CA_CERTS === undefined ? [] : [readFileSync(NODE_EXTRA_CA_CERTS, 'latin1')];
}
