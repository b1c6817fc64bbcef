/**
 * The certificate that `tls13 serve` makes when none is given: P-256, for this machine's own names, kept between runs in
 * a folder that git ignores.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { asError } from '../errors.js';
import { replaceFile } from './files.js';

export interface DevelopmentCertificate {
  /** PEM. */
  readonly cert: string;
  /** PEM, PKCS #8. */
  readonly key: string;
  /** Where the certificate is kept. Undefined when it could not be kept: the next run makes another. */
  readonly file: string | undefined;
  /** Why it could not be kept. */
  readonly notKept: string | undefined;
}

/** Below the working directory. */
const developmentFolder = '.tls13';

const developmentNames = ['localhost', '127.0.0.1', '::1'] as const;

/**
 * The one kept in the folder, or a new one where none is, or it ends within a day.
 * @param now milliseconds since 1970.
 */
export async function developmentCertificate(
  folder: string = developmentFolder,
  now: number = Date.now(),
): Promise<DevelopmentCertificate> {
  const certFile = join(folder, 'development-cert.pem');
  const keyFile = join(folder, 'development-key.pem');
  const kept = read(certFile, keyFile);
  if (kept !== undefined && usable(kept, now)) return { ...kept, file: certFile, notKept: undefined };
  const made = await make(now);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, '.gitignore'), '*\n');
    replaceFile(keyFile, made.key, 0o600);
    replaceFile(certFile, made.cert, 0o644);
    return { ...made, file: certFile, notKept: undefined };
  } catch (error) {
    return { ...made, file: undefined, notKept: asError(error).message };
  }
}

interface Pair {
  readonly cert: string;
  readonly key: string;
}

const day = 86_400_000;

/** What browsers accept of certificates that a user trusts. */
const validity = 397 * day;

function read(certFile: string, keyFile: string): Pair | undefined {
  try {
    return { cert: readFileSync(certFile, 'latin1'), key: readFileSync(keyFile, 'latin1') };
  } catch {
    return undefined;
  }
}

/** Two runs that began together may have left the one's key and the other's certificate. */
function usable({ cert, key }: Pair, now: number): boolean {
  try {
    const certificate = new X509Certificate(cert);
    const begun = Date.parse(certificate.validFrom) <= now;
    const lasting = Date.parse(certificate.validTo) > now + day;
    return begun && lasting && certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

async function make(now: number): Promise<Pair> {
  // The library wants Reflect's metadata to be there first; neither is loaded unless a certificate is made.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: 'CN=localhost, O=tls13 development',
      // Begun yesterday: the visitor's clock may be behind.
      notBefore: new Date(now - day),
      notAfter: new Date(now - day + validity),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          developmentNames.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
        ),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    },
    crypto,
  );
  return {
    cert: `${certificate.toString('pem')}\n`,
    key: `${x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')}\n`,
  };
}
