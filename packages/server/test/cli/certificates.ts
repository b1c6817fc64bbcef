/** Certificates for the tests of the command line, made by the library that makes the development certificate. */
import 'reflect-metadata';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  BasicConstraintsExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export interface Issued {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends Issued {
  /** A certificate for a DNS name. */
  issue(name: string): Promise<Issued>;
}

export async function createAuthority(name: string): Promise<Authority> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const root = await X509CertificateGenerator.createSelfSigned(
    { name: `CN=${name}`, keys, signingAlgorithm: algorithm, extensions: [new BasicConstraintsExtension(true)] },
    crypto,
  );
  return {
    ...(await inPem(root, keys.privateKey)),
    issue: async (host) => {
      const own = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
      const certificate = await X509CertificateGenerator.create(
        {
          subject: `CN=${host}`,
          issuer: root.subject,
          publicKey: own.publicKey,
          signingKey: keys.privateKey,
          signingAlgorithm: algorithm,
          extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: host }])],
        },
        crypto,
      );
      return inPem(certificate, own.privateKey);
    },
  };
}

/** Writes both into a folder. @returns their paths. */
export function keep(
  folder: string,
  name: string,
  { cert, key }: Issued,
): { readonly cert: string; readonly key: string } {
  const paths = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}-key.pem`) };
  writeFileSync(paths.cert, cert);
  writeFileSync(paths.key, key);
  return paths;
}

async function inPem(certificate: X509Certificate, key: CryptoKey): Promise<Issued> {
  return {
    cert: `${certificate.toString('pem')}\n`,
    key: PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY'),
  };
}
