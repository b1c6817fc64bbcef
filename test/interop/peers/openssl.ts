/** OpenSSL's own client and server programs. */
import type { NamedGroupName } from 'tls13-core';
import type { Files } from '../identities.js';
import { Program } from './program.js';

export interface OpensslOptions {
  readonly suites?: readonly string[];
  readonly groups?: readonly NamedGroupName[];
  readonly identity?: Files;
  /** What else its command line says. */
  readonly more?: readonly string[];
}

/** OpenSSL's names of groups. */
const groupNames: Readonly<Partial<Record<NamedGroupName, string>>> = {
  x25519: 'X25519',
  secp256r1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};

/** The groups of the OpenSSL that Debian's stable release has. */
export const opensslGroups: readonly NamedGroupName[] = ['x25519', 'secp256r1', 'secp384r1', 'secp521r1'];

/** What `Server Temp Key` says of a group. */
export const temporaryKeys: Readonly<Partial<Record<NamedGroupName, string>>> = {
  x25519: 'X25519, 253 bits',
  secp256r1: 'ECDH, prime256v1, 256 bits',
  secp384r1: 'ECDH, secp384r1, 384 bits',
  secp521r1: 'ECDH, secp521r1, 521 bits',
};

/** `openssl s_client`; it accepts any certificate unless `more` says otherwise. */
export function sClient(port: number, options: OpensslOptions = {}): Program {
  const name = options.more?.some((word) => /^-(no)?servername$/.test(word)) ? [] : ['-servername', 'localhost'];
  return openssl(['s_client', '-connect', `127.0.0.1:${port}`, ...name, ...common(options)]);
}

/** `openssl s_server`, listening. */
export async function sServer(options: OpensslOptions & { readonly identity: Files }): Promise<{
  readonly port: number;
  readonly program: Program;
}> {
  const program = openssl(['s_server', '-accept', '127.0.0.1:0', ...common(options)]);
  const [, port] = await program.until(/ACCEPT 127\.0\.0\.1:(\d+)\n/);
  return { port: Number(port), program };
}

/** Its words when it has received a fatal alert. */
export function alertReceived(number: number): RegExp {
  return new RegExp(`SSL alert number ${number}\\b`);
}

/** With its standard output unbuffered: otherwise some of what it says stays with it until it ends. */
function openssl(parameters: readonly string[]): Program {
  return new Program('stdbuf', ['-o0', 'openssl', ...parameters]);
}

function common({ suites, groups, identity, more = [] }: OpensslOptions): string[] {
  return [
    ...(suites === undefined ? [] : ['-ciphersuites', suites.join(':')]),
    // Otherwise CCM_8's short tag is not enough for it.
    ...(suites?.includes('TLS_AES_128_CCM_8_SHA256') ? ['-cipher', 'DEFAULT@SECLEVEL=0'] : []),
    ...(groups === undefined ? [] : ['-groups', groups.map((group) => groupNames[group] ?? group).join(':')]),
    ...(identity === undefined ? [] : ['-cert', identity.cert, '-key', identity.key]),
    ...more,
  ];
}
