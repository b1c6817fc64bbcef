/** Certificates for the tests, made by the openssl program at test time. */
import { execFileSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Issued {
  readonly pem: string;
  readonly der: Uint8Array;
  readonly key: KeyObject;
  readonly keyPem: string;
}

export interface Request {
  readonly name?: string;
  /** Lines of an extension section of openssl's configuration. */
  readonly extensions?: readonly string[];
  /** Self-signed without one. */
  readonly issuer?: Issued;
  readonly key?: KeyObject;
  /** Until it ends; below zero it has ended. */
  readonly days?: number;
  readonly hash?: string;
}

export const authority = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];
export const serverLeaf = [
  'basicConstraints=CA:FALSE',
  'keyUsage=digitalSignature',
  'extendedKeyUsage=serverAuth',
  'subjectAltName=DNS:host.example,DNS:*.wild.example,IP:192.0.2.7,IP:2001:db8::7',
];
export const clientLeaf = ['basicConstraints=CA:FALSE', 'keyUsage=digitalSignature', 'extendedKeyUsage=clientAuth'];

export function curveKey(namedCurve = 'P-256'): KeyObject {
  return generateKeyPairSync('ec', { namedCurve }).privateKey;
}

/** Issues certificates in a folder that `remove` deletes. */
export class Pki {
  readonly #folder = mkdtempSync(join(tmpdir(), 'tls13-pki-'));
  #count = 0;

  issue(request: Request = {}): Issued {
    const { name = 'host.example', extensions = [], issuer, key = curveKey(), days = 30, hash = 'sha256' } = request;
    const keyPem = key.export({ format: 'pem', type: 'pkcs8' }).toString();
    const extensionFile = this.write('ext', extensions.join('\n'));
    const serial = String(++this.#count);
    const signedBy =
      issuer === undefined
        ? ['-key', this.write('key', keyPem)]
        : [
            '-force_pubkey',
            this.write('pub', createPublicKey(key).export({ format: 'pem', type: 'spki' }).toString()),
            '-CA',
            this.write('ca', issuer.pem),
            '-CAkey',
            this.write('cakey', issuer.keyPem),
          ];
    const subject = ['-new', '-subj', `/CN=${name}`, '-days', String(days), `-${hash}`, '-set_serial', serial];
    const pem = openssl('x509', ...subject, '-extfile', extensionFile, ...signedBy);
    return { pem, der: new Uint8Array(new X509Certificate(pem).raw), key, keyPem };
  }

  /** A revocation list of the issuer's. */
  revoke(issuer: Issued, revoked: readonly Issued[], days = 30): string {
    const yesterday = '700101000000Z';
    const entries = revoked.map(({ der }) => {
      const { serialNumber, subject } = new X509Certificate(der);
      return `R\t991231235959Z\t${yesterday}\t${serialNumber}\tunknown\t/${subject.replaceAll('\n', '/')}\n`;
    });
    const database = this.write('index', entries.join(''));
    const settings = `[ca]\ndefault_ca=own\n[own]\ndatabase=${database}\ndefault_md=sha256\n`;
    const signer = ['-cert', this.write('ca', issuer.pem), '-keyfile', this.write('cakey', issuer.keyPem)];
    return openssl('ca', '-gencrl', '-config', this.write('conf', settings), '-crldays', String(days), ...signer);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Its path. */
  write(kind: string, text: string): string {
    const path = join(this.#folder, `${++this.#count}.${kind}`);
    writeFileSync(path, text);
    return path;
  }
}

export function openssl(...parameters: readonly string[]): string {
  return execFileSync('openssl', parameters, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
