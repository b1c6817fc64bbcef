/**
 * The command line of BoringSSL's runner as three configurations: of the first connection, of the resumptions, and of
 * the retry after rejected early data. A flag that is not in the table is a feature that this library does not have.
 */

/** What may be said of one connection; an absent flag is `undefined`. */
export interface Flags {
  readonly switches: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** One for each `-new-x509-credential`; the flags behind it are its own. */
  readonly credentials: readonly CredentialFlags[];
}

export interface CredentialFlags {
  readonly switches: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, readonly string[]>;
}

export interface CommandLine {
  readonly initial: Flags;
  readonly resume: Flags;
}

/** The runner passes over a case when the shim ends with this status. */
export const unimplementedStatus = 89;

export class Unimplemented extends Error {}

export function parseCommandLine(words: readonly string[]): CommandLine {
  const configurations = { initial: new Building(), resume: new Building(), retry: new Building() };
  const all = Object.values(configurations);
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const [, only, name = ''] = /^-(?:on-shim-)?(?:on-(initial|resume|retry)-)?(.*)$/.exec(word) ?? [];
    const targets = only === 'initial' || only === 'resume' || only === 'retry' ? [configurations[only]] : all;
    const kind = kinds.get(name);
    if (kind === undefined) throw new Unimplemented(`unknown flag ${word}`);
    const value = kind === 'value' ? rest.shift() : undefined;
    if (kind === 'value' && value === undefined) throw new TypeError(`${word} wants a value`);
    for (const target of targets) target.add(name, value);
  }
  return configurations;
}

export function text(flags: Flags | CredentialFlags, name: string): string | undefined {
  return flags.values.get(name)?.at(-1);
}

export function number(flags: Flags, name: string): number | undefined {
  const value = text(flags, name);
  return value === undefined ? undefined : Number(value);
}

/** Every value of a flag that may be repeated. */
export function numbers(flags: Flags | CredentialFlags, name: string): readonly number[] | undefined {
  return flags.values.get(name)?.map(Number);
}

export function base64(flags: Flags | CredentialFlags, name: string): Uint8Array | undefined {
  const value = text(flags, name);
  return value === undefined ? undefined : new Uint8Array(Buffer.from(value, 'base64'));
}

class Building implements Flags {
  readonly switches = new Set<string>();
  readonly values = new Map<string, string[]>();
  readonly credentials: Building[] = [];

  add(name: string, value: string | undefined): void {
    if (name === 'new-x509-credential') {
      this.credentials.push(new Building());
      return;
    }
    const credential = this.credentials.at(-1);
    const target = credential !== undefined && ofCredential.has(name) ? credential : this;
    if (value === undefined) target.switches.add(name);
    else target.values.set(name, [...(target.values.get(name) ?? []), value]);
  }
}

const ofCredential = new Set(['cert-file', 'key-file', 'signing-prefs', 'must-match-issuer']);

const switches = [
  ...['server', 'ipv6', 'is-handshaker-supported', 'async', 'implicit-handshake', 'new-x509-credential'],
  ...['verify-peer', 'verify-fail', 'require-any-client-certificate', 'use-custom-verify-callback'],
  ...[
    'expect-verify-result',
    'reverify-on-resume',
    'expect-no-peer-cert',
    'use-old-client-cert-callback',
    'must-match-issuer',
  ],
  ...['use-early-callback', 'fail-early-callback', 'fail-cert-callback', 'expect-no-server-name'],
  ...['shim-writes-first', 'shim-shuts-down', 'check-close-notify', 'read-with-unfinished-write', 'peek-then-read'],
  ...['expect-session-miss', 'expect-no-session', 'no-ticket', 'skip-ticket', 'renew-ticket'],
  ...['use-ticket-callback', 'use-ticket-aead-callback', 'expect-hrr', 'expect-no-hrr', 'server-preference'],
  ...['decline-alpn', 'reject-alpn', 'select-empty-alpn', 'no-key-shares', 'key-update', 'send-alert'],
  ...['use-export-context', 'export-traffic-secrets', 'enable-ocsp-stapling', 'no-op-extra-handshake'],
  // What TLS 1.3 is or has anyway, and what belongs to versions that this library does not speak.
  ...['no-tls1', 'no-tls11', 'no-tls12', 'expect-extended-master-secret', 'expect-secure-renegotiation'],
  ...['renegotiate-freely', 'no-legacy-server-connect'],
];

const values = [
  ...['port', 'shim-id', 'resume-count', 'cert-file', 'key-file', 'trust-cert', 'signing-prefs', 'verify-prefs'],
  ...['curves', 'key-shares', 'server-supported-groups-hint', 'host-name', 'advertise-alpn', 'select-alpn'],
  ...['expect-alpn', 'expect-advertised-alpn', 'expect-server-name', 'expect-curve-id', 'expect-version'],
  ...['expect-cipher', 'expect-cipher-aes', 'expect-cipher-no-aes', 'expect-peer-signature-algorithm'],
  ...['expect-peer-verify-pref', 'expect-peer-cert-file', 'expect-client-ca-list', 'use-client-ca-list'],
  ...['expect-selected-credential', 'expect-ocsp-response', 'max-cert-list', 'resumption-delay', 'read-size'],
  ...['export-keying-material', 'export-label', 'export-context', 'shim-initial-write'],
  ...['min-version', 'max-version', 'select-next-proto', 'advertise-npn', 'srtp-profiles'],
];

const kinds: ReadonlyMap<string, 'switch' | 'value'> = new Map([
  ...switches.map((name) => [name, 'switch'] as const),
  ...values.map((name) => [name, 'value'] as const),
]);
