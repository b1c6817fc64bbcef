/** GnuTLS's own client and server programs. */
import type { CipherSuiteName, NamedGroupName, SignatureSchemeName } from 'tls13-core';
import { type Files, trusted } from '../identities.js';
import { freePort, Program } from './program.js';

export interface GnutlsOptions {
  readonly suite?: CipherSuiteName;
  readonly groups?: readonly NamedGroupName[];
  readonly scheme?: SignatureSchemeName;
  readonly identity?: Files;
  /** Raw public keys (RFC 7250) are fine with it, from both sides; files of a key pair of its own, if any. */
  readonly raw?: { readonly key: string; readonly publicKey: string } | 'none of its own';
  /** What else its command line says. */
  readonly more?: readonly string[];
  /** What it may speak. Default: TLS 1.3 alone. */
  readonly version?: '1.2' | '1.3';
}

/** What it calls the ciphers, in priorities and in descriptions. */
export const cipherNames: Readonly<Record<CipherSuiteName, string>> = {
  TLS_AES_128_GCM_SHA256: 'AES-128-GCM',
  TLS_AES_256_GCM_SHA384: 'AES-256-GCM',
  TLS_CHACHA20_POLY1305_SHA256: 'CHACHA20-POLY1305',
  TLS_AES_128_CCM_SHA256: 'AES-128-CCM',
  TLS_AES_128_CCM_8_SHA256: 'AES-128-CCM-8',
};

/** The groups of the GnuTLS that Debian's stable release has. */
export const gnutlsGroups: readonly NamedGroupName[] = ['x25519', 'secp256r1', 'secp384r1', 'secp521r1'];

/** Ed25519 is EdDSA-Ed25519 in priorities and in descriptions alike. */
export const signatureNames: Readonly<Partial<Record<SignatureSchemeName, string>>> = {
  ecdsa_secp256r1_sha256: 'ECDSA-SECP256R1-SHA256',
  ecdsa_secp384r1_sha384: 'ECDSA-SECP384R1-SHA384',
  ecdsa_secp521r1_sha512: 'ECDSA-SECP521R1-SHA512',
  ed25519: 'EdDSA-Ed25519',
  rsa_pss_rsae_sha256: 'RSA-PSS-RSAE-SHA256',
  rsa_pss_rsae_sha384: 'RSA-PSS-RSAE-SHA384',
  rsa_pss_rsae_sha512: 'RSA-PSS-RSAE-SHA512',
  rsa_pss_pss_sha256: 'RSA-PSS-SHA256',
  rsa_pss_pss_sha384: 'RSA-PSS-SHA384',
  rsa_pss_pss_sha512: 'RSA-PSS-SHA512',
};

/** `(TLS1.3-…)-(ECDHE-SECP384R1)-(ECDSA-SECP256R1-SHA256)-(AES-256-GCM)` */
export function description(suite: CipherSuiteName, group: NamedGroupName): RegExp {
  return new RegExp(`Description: .*\\(ECDHE-${group.toUpperCase()}\\).*-\\(${cipherNames[suite]}\\)\n`);
}

/** `gnutls-cli`, which verifies the server's certificate for localhost. */
export function gnutlsCli(port: number, options: GnutlsOptions = {}): Program {
  return gnutls('gnutls-cli', [
    '--port',
    `${port}`,
    '--x509cafile',
    trusted.files.cert,
    ...common(options),
    'localhost',
  ]);
}

/** `gnutls-serv`, listening: it echoes lines. */
export async function gnutlsServ(options: GnutlsOptions & { readonly identity: Files }): Promise<{
  readonly port: number;
  readonly program: Program;
}> {
  const port = await freePort();
  const mode = options.more?.includes('--http') ? [] : ['--echo'];
  const program = gnutls('gnutls-serv', ['--port', `${port}`, ...mode, '--nodb', ...common(options)]);
  await program.until(/IPv4 0\.0\.0\.0 port \d+\.\.\.done/);
  return { port, program };
}

function gnutls(name: string, parameters: readonly string[]): Program {
  return new Program('stdbuf', ['-oL', name, ...parameters]);
}

function common({ suite, groups, scheme, identity, raw, version = '1.3', more = [] }: GnutlsOptions): string[] {
  const named = scheme === undefined ? undefined : signatureNames[scheme];
  const priority = [
    `NORMAL:-VERS-ALL:+VERS-TLS${version}`,
    suite === undefined ? '+AES-128-CCM' : `-CIPHER-ALL:+${cipherNames[suite]}`,
    ...(groups === undefined ? [] : ['-GROUP-ALL', ...groups.map((group) => `+GROUP-${group.toUpperCase()}`)]),
    ...(raw === undefined ? [] : ['+CTYPE-SRV-RAWPK', '+CTYPE-CLI-RAWPK']),
    // The second one is the authority's.
    ...(named === undefined ? [] : ['-SIGN-ALL', `+SIGN-${named}`, '+SIGN-ECDSA-SECP256R1-SHA256']),
  ];
  return [
    ...['--priority', priority.join(':')],
    ...(identity === undefined ? [] : ['--x509certfile', identity.cert, '--x509keyfile', identity.key]),
    ...(typeof raw === 'object' ? ['--rawpkkeyfile', raw.key, '--rawpkfile', raw.publicKey] : []),
    ...more,
  ];
}
