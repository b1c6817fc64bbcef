/** What the matrix wants of a foreign TLS program, so that each feature is written once for all of them. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { CipherSuiteName, NamedGroupName, SignatureSchemeName } from 'tls13-core';
import { inRoot, rootFolder } from '../../../scripts/lib/debian-root.mjs';
import type { Files } from '../identities.js';
import { Program } from '../peers/program.js';

/** What the peer is. We are the other. */
export type Role = 'client' | 'server';

/** How the peer is to be started; each peer turns it into its own command line. */
export interface Wish {
  readonly suite?: CipherSuiteName;
  /** Offered or accepted, best first; clients send a share for the first. */
  readonly groups?: readonly NamedGroupName[];
  /** Client: the only one it accepts. */
  readonly scheme?: SignatureSchemeName;
  /** A server's certificate, or a client's. */
  readonly identity?: Files;
  /** Client: the name asked for. Default `localhost`. */
  readonly servername?: string | undefined;
  readonly alpn?: readonly string[];
  /** Server: demands a certificate of the client. */
  readonly requestCert?: boolean;
  /** Client: connects, waits for a ticket, closes, and connects again with it. */
  readonly resume?: boolean;
  /** Client: a file to be sent early in the second of `resume`'s connections; server: early data is let in. */
  readonly earlyData?: string;
  readonly externalPsk?: ExternalPsk;
  /** No (EC)DHE beside it (psk_ke). */
  readonly pskAlone?: boolean;
  /** The file for its key log. */
  readonly keyLog?: string;
  /** Multiple to which records are padded. */
  readonly padding?: number;
  /** Longest content of records it sends. */
  readonly fragment?: number;
  /** Longest record it is willing to receive (RFC 8449). */
  readonly recordSizeLimit?: number;
  readonly exporter?: string;
  readonly postHandshakeAuth?: boolean;
  /** Whose key comes without a certificate (RFC 7250). */
  readonly rawPublicKey?: Role;
  /** RFC 8879, for the server's certificate. */
  readonly compression?: 'zlib' | 'brotli' | 'zstd';
  /** Client: asks for an OCSP response; server: the DER file to staple. */
  readonly staple?: string;
  readonly ech?: EchWish;
  /** Client: accepts a delegated credential. Server: the file that holds one. */
  readonly delegatedCredential?: boolean;
  /** Whether it resumes a session. Default true. */
  readonly tickets?: boolean;
}

export interface ExternalPsk {
  readonly identity: string;
  readonly key: Buffer;
  readonly hash: 'sha256' | 'sha384';
}

/** RFC 9849. */
export interface EchWish {
  /** A client sends a dummy; there is no configuration then. */
  readonly grease?: boolean;
  /** The ECHConfigList in base64, for a client. */
  readonly configs?: string;
  /** A PEM file with the configuration and its key, for a server. */
  readonly keyFile?: string;
  readonly publicName?: string;
}

/** What a peer says of its newest connection, as far as it says it, in this library's names. */
export interface Said {
  readonly suite?: string | undefined;
  readonly group?: string | undefined;
  readonly scheme?: string | undefined;
  readonly alpn?: string | undefined;
  readonly resumed?: boolean;
  readonly servername?: string | undefined;
  /** It has verified the other's certificate. */
  readonly verified?: boolean;
  readonly earlyData?: boolean;
  readonly exported?: string | undefined;
  /** A stapled OCSP response. */
  readonly stapled?: boolean;
  readonly ech?: boolean;
  readonly compressed?: boolean;
  readonly rawPublicKey?: boolean;
  readonly delegated?: boolean;
}

/** A running peer. */
export interface Link {
  readonly program: Program;
  /**
   * What happens to application data: as a pipe of the program's own input and output, sent back, HTTP whose answer the
   * program prints, or HTTP by a browser, whose page asks once more.
   */
  readonly service: 'pipe' | 'echo' | 'http' | 'browser';
  /** Waits until the handshake of its nth connection is complete. */
  said(nth: number): Promise<Said>;
  /** Makes it replace its key, and ask us to replace ours. */
  updateKeys?(requestPeer: boolean): void;
  /** Its stapled responses are its own, whatever it is told. */
  readonly makesStaples?: boolean;
  /** Makes it close the connection. */
  close?(): void;
  /** Server: makes it ask for the client's certificate now. */
  requestCertificate?(): void;
}

export interface ServerLink extends Link {
  readonly port: number;
  /** Of a server that makes its ECH keys itself, in base64. */
  readonly echConfigs?: string | undefined;
}

/** Why a peer has no cell: for both of its roles, or for one. */
export type Reasons = Readonly<Partial<Record<string, string | Readonly<Partial<Record<Role, string>>>>>>;

export interface Peer {
  /** For file names. */
  readonly id: string;
  readonly name: string;
  readonly version: () => Promise<string>;
  /** Compiles what it consists of, before its first test. */
  readonly prepare?: () => void;
  readonly client?: (port: number, wish: Wish) => Promise<Link>;
  readonly server?: (wish: Wish & { readonly identity: Files }) => Promise<ServerLink>;
  /** Client: it opens connections in advance, of which the one that matters has a request. */
  readonly browses?: boolean;
  /** Client: its requests follow redirects, and so it can be made to connect again. */
  readonly follows?: boolean;
  /** Feature → why it cannot be tried: the peer has it not, or its program cannot be told to. */
  readonly lacks: Reasons;
  /** For programs with few options: all that they can be told, and why everything else cannot be tried. */
  readonly knows?: { readonly features: readonly string[]; readonly otherwise: string };
  /** Feature → what the peer does wrong, which a run must show again. */
  readonly faults?: Reasons;
}

/** The same reason for every group with ML-KEM. */
export function hybrids(reason: string): Reasons {
  const names = ['MLKEM768', 'MLKEM1024', 'SecP256r1MLKEM768', 'X25519MLKEM768', 'SecP384r1MLKEM1024'];
  return Object.fromEntries(names.map((name) => [name, reason]));
}

export function reasonFor(reasons: Reasons | undefined, feature: string, role: Role): string | undefined {
  const found = reasons?.[feature];
  return typeof found === 'string' ? found : found?.[role];
}

/** Where a peer's program is: this machine, or one of the newer Debians in folders. */
export type Place = 'machine' | 'sid' | 'developer' | 'experimental';

/** Starts a program of that place; with `unbuffered`, what it says comes at once. */
export function start(place: Place, command: readonly string[], { unbuffered = false } = {}): Program {
  const whole = [...within(place), ...(unbuffered ? ['stdbuf', '-o0'] : []), ...command];
  const [program = '', ...parameters] = whole;
  return new Program(program, parameters);
}

/** Runs a compiler of that place. */
export function compile(place: Place, command: readonly string[]): void {
  const [program = '', ...parameters] = [...within(place), ...command];
  const { status, stderr, error } = spawnSync(program, parameters, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}: ${error?.message ?? stderr}`);
}

/** What goes before a command so that it logs its keys as browsers do. */
export function logging({ keyLog }: Wish): string[] {
  return keyLog === undefined ? [] : ['env', `SSLKEYLOGFILE=${keyLog}`];
}

/** What a program prints that ends at once, whatever its status. */
export async function printed(place: Place, ...command: readonly string[]): Promise<string> {
  const program = start(place, command);
  await program.ended();
  return program.text;
}

/** The first match in what a program prints of itself. */
export async function versionIn(place: Place, pattern: RegExp, ...command: readonly string[]): Promise<string> {
  const text = await printed(place, ...command);
  return pattern.exec(text)?.[1] ?? `unknown: ${text.slice(0, 80)}`;
}

/** The upstream version of a Debian package in a root, from its changelog. */
export function packageVersion(place: Exclude<Place, 'machine'>, name: string): string {
  const folder = join(rootFolder(place) ?? '', 'usr/share/doc', name);
  const file = ['changelog.Debian.gz', 'changelog.gz', 'changelog.Debian.amd64.gz'].find((one) =>
    existsSync(join(folder, one)),
  );
  if (file === undefined) throw new Error(`${folder} has no changelog`);
  const [line = ''] = gunzipSync(readFileSync(join(folder, file)))
    .toString()
    .split('\n');
  return /\((?:\d+:)?([^)]*?)(?:[-+~]\w[^)-]*)?\)/.exec(line)?.[1] ?? line;
}

function within(place: Place): readonly string[] {
  if (place === 'machine') return [];
  const folder = rootFolder(place);
  if (folder === undefined) throw new Error(`no Debian ${place}: npm run interop -- --all fetches it`);
  return inRoot(folder);
}
