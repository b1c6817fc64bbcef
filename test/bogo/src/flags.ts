/**
 * The command line of BoringSSL's runner as three configurations: of the first connection, of the resumptions, and of
 * the retry after a rejection. A flag that no feature knows is a feature that this library does not have.
 */

/** The flags of one feature, without the hyphen in front. */
export interface FlagGroup {
  readonly switches?: readonly string[];
  readonly values?: readonly string[];
}

/** What may be said of one connection; an absent flag is `undefined`. */
export interface Flags {
  readonly switches: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** One for each `-new-…-credential`; the flags behind it are its own. */
  readonly credentials: readonly CredentialFlags[];
}

export interface CredentialFlags {
  readonly switches: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, readonly string[]>;
}

export interface CommandLine {
  readonly initial: Flags;
  readonly resume: Flags;
  readonly retry: Flags;
}

/** The runner passes over a case when the shim ends with this status. */
export const unimplementedStatus = 89;

export class Unimplemented extends Error {}

export function parseCommandLine(words: readonly string[], groups: readonly FlagGroup[]): CommandLine {
  const kinds = kindsOf(groups);
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
    if (name.startsWith('new-') && name.endsWith('-credential')) {
      const credential = new Building();
      credential.switches.add(name);
      this.credentials.push(credential);
      return;
    }
    const credential = this.credentials.at(-1);
    const target = credential !== undefined && ofCredential.has(name) ? credential : this;
    if (value === undefined) target.switches.add(name);
    else target.values.set(name, [...(target.values.get(name) ?? []), value]);
  }
}

const ofCredential = new Set([
  ...['cert-file', 'delegated-credential', 'key-file', 'signing-prefs', 'must-match-issuer'],
  ...[
    'psk-importer-context',
    'psk-importer-identity',
    'psk-importer-key',
    'psk-importer-sha256',
    'psk-importer-sha384',
  ],
  ...['ocsp-response', 'signed-cert-timestamps'],
]);

function kindsOf(groups: readonly FlagGroup[]): ReadonlyMap<string, 'switch' | 'value'> {
  return new Map(
    groups.flatMap(({ switches = [], values = [] }) => [
      ...switches.map((name) => [name, 'switch'] as const),
      ...values.map((name) => [name, 'value'] as const),
    ]),
  );
}
