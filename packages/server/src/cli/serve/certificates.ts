/** What `tls13 serve` presents: the pairs that were named, or the development certificate. Read again at SIGHUP. */
import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from '../../credentials.js';
import { asError } from '../../errors.js';
import { developmentCertificate } from '../development-certificate.js';
import { type Arguments, UsageError } from '../options.js';
import { rawPublicKeyOf } from '../raw-public-keys.js';
import { readOptionFile } from '../tls-options.js';

export interface Certificates {
  /** The first is the default; the others are for clients that ask for a name in them. */
  readonly credentials: readonly SecureContextOptions[];
  readonly shown: readonly ShownCertificate[];
}

export interface ShownCertificate {
  readonly file: string | null;
  /** `AB:CD:…` */
  readonly fingerprint256: string;
  readonly names: string;
  /** ISO 8601; null for a raw public key. */
  readonly validTo: string | null;
}

/** @throws UsageError naming the file that cannot be used, and why. */
export async function readCertificates(given: Arguments): Promise<Certificates> {
  const certs = given.texts('cert');
  const keys = given.texts('key');
  if (certs.length !== keys.length) {
    throw new UsageError(`--cert and --key come in pairs: ${certs.length} and ${keys.length} were given`);
  }
  const responses = given.texts('ocsp');
  if (responses.length > certs.length) {
    throw new UsageError(`--ocsp goes with --cert: ${responses.length} and ${certs.length} were given`);
  }
  const raw = given.texts('raw-public-key').map(readRawKey);
  if (certs.length === 0 && raw.length === 0) return development();
  const pairs = [...certs.map((cert, index) => readPair(cert, keys[index] ?? cert, responses[index])), ...raw];
  return { credentials: pairs.map(({ options }) => options), shown: pairs.map(({ shown }) => shown) };
}

async function development(): Promise<Certificates> {
  const { cert, key, file, notKept } = await developmentCertificate();
  if (notKept !== undefined) {
    process.stderr.write(`tls13: the development certificate lasts for this run only: ${notKept}\n`);
  }
  return { credentials: [{ cert, key }], shown: [show(file ?? null, new X509Certificate(cert))] };
}

function readRawKey(file: string) {
  const { options, fingerprint } = rawPublicKeyOf(file);
  return { options, shown: { file, fingerprint256: fingerprint, names: 'raw public key', validTo: null } };
}

function readPair(certFile: string, keyFile: string, responseFile: string | undefined) {
  const cert = readOptionFile('cert', certFile);
  const key = readOptionFile('key', keyFile);
  // What `tls13 delegate` makes.
  const delegated = key.includes('BEGIN DELEGATED CREDENTIAL') ? { delegatedCredential: key } : {};
  const stapled = responseFile === undefined ? {} : { ocspResponse: readOptionFile('ocsp', responseFile) };
  const options = { cert, key, ...delegated, ...stapled };
  try {
    const [leaf] = createSecureContext(options).certificates;
    if (leaf === undefined) throw new TypeError('it holds no certificate');
    return { options, shown: show(certFile, leaf) };
  } catch (error) {
    throw new UsageError(`--cert ${certFile} --key ${keyFile}: ${asError(error).message}`);
  }
}

function show(file: string | null, certificate: X509Certificate): ShownCertificate {
  return {
    file,
    fingerprint256: certificate.fingerprint256,
    names: certificate.subjectAltName ?? certificate.subject,
    validTo: new Date(certificate.validTo).toISOString(),
  };
}
