/**
 * Peers that come as a library or a language: a small program of ours (`programs/`) speaks for each. All of them take
 * the same words, obey the same commands and say the same, so that what differs between them is told by their peers.
 *
 * Words: `client` or `server`, then `key=value`. They say `port N` (servers), `connected key=value …` after each
 * handshake, and pass application data between the connection and their standard input and output: bytes from 0x80 on.
 * Bytes below are commands: `k` updates the keys, `K` asks for ours too, `c` asks for a certificate, `q` closes.
 */
import { createPublicKey } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { namedGroups } from 'tls13-core';
import { type Files, scratch, trusted } from '../../identities.js';
import type { Program } from '../../peers/program.js';
import type { Link, Peer, Reasons, Role, Said, Wish } from '../peer.js';

/** This library's names → theirs, of suites, groups and schemes. */
export type Names = Readonly<Record<string, string>>;

export interface OwnProgram {
  readonly start: (words: readonly string[], wish: Wish, role: Role) => Program | Promise<Program>;
  readonly names?: Names;
  /** What it calls them when it says which one it was, if that is something else. */
  readonly saidNames?: Names;
}

/** The client and the server of a peer. */
export function ownProgram({
  start,
  names = {},
  saidNames = names,
}: OwnProgram): Required<Pick<Peer, 'client' | 'server'>> {
  const ours = new Map(Object.entries(saidNames).map(([name, theirs]) => [theirs, name]));
  const link = (program: Program): Link => ({
    program,
    service: 'pipe',
    said: async (nth) => saidOf(await line(program, nth), ours),
    updateKeys: (requestPeer) => program.write(requestPeer ? 'K' : 'k'),
    close: () => program.write('q'),
    requestCertificate: () => program.write('c'),
  });
  return {
    client: async (port, wish) => {
      const words = [
        'client',
        `port=${port}`,
        `servername=${wish.servername ?? 'localhost'}`,
        ...wordsOf(wish, names, 'client'),
      ];
      return link(await start(words, wish, 'client'));
    },
    server: async (wish) => {
      const program = await start(['server', ...wordsOf(wish, names, 'server')], wish, 'server');
      const [, port] = await program.until(/^port (\d+)\n/m);
      // Of those that make their keys themselves.
      const [, echConfigs] = /^ech (\S+)\n/m.exec(program.text) ?? [];
      return { ...link(program), port: Number(port), echConfigs };
    },
  };
}

/** The same reason for every row that begins so. */
export function without(kind: Kind, reason: string): Reasons {
  return Object.fromEntries(rows[kind].map((id) => [id, reason]));
}

type Kind = keyof typeof rows;

const rows = {
  earlyData: ['early-data', 'early-data-rejected', 'early-data-retry'],
  ech: ['ech', 'ech-retry', 'ech-rejected'],
  rawKeys: ['server-raw-key', 'client-raw-key'],
  compression: ['compress-zlib', 'compress-brotli', 'compress-zstd', 'compress-client'],
  psk: ['psk', 'psk-sha384', 'psk-alone'],
} as const;

/** The groups' numbers, for libraries that take those. */
export const groupNumbers: Names = Object.fromEntries(
  Object.entries(namedGroups).map(([name, number]) => [name, `${number}`]),
);

/** A copy of a file in `programs/` where the roots of newer Debians see it too. */
export function programFile(name: string): string {
  const copy = scratch(name);
  copyFileSync(new URL(`./programs/${name}`, import.meta.url), copy);
  return copy;
}

function wordsOf(wish: Wish, names: Names, role: Role): string[] {
  const theirs = (name: string) => names[name] ?? name;
  const { identity, externalPsk: psk, ech } = wish;
  const values = {
    ca: trusted.files.cert,
    cert: identity?.cert,
    key: identity?.key,
    suite: wish.suite && theirs(wish.suite),
    groups: wish.groups?.map(theirs).join(','),
    scheme: wish.scheme && theirs(wish.scheme),
    alpn: wish.alpn?.join(','),
    requestCert: flag(wish.requestCert),
    resume: flag(wish.resume),
    psk: psk?.key.toString('hex'),
    pskIdentity: psk?.identity,
    pskAlone: flag(wish.pskAlone),
    keyLog: wish.keyLog,
    postHandshakeAuth: flag(wish.postHandshakeAuth),
    staple: wish.staple,
    rawPublicKey: wish.rawPublicKey,
    rawKey: wish.rawPublicKey === role ? rawKey(identity) : undefined,
    padding: wish.padding,
    fragment: wish.fragment,
    exporter: wish.exporter,
    ech: ech?.configs,
    echGrease: flag(ech?.grease),
    echKeys: ech?.keyFile,
    echName: ech?.publicName,
  };
  return Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
}

/** The public half of a key, as it goes where a certificate would. */
function rawKey(identity: Files | undefined): string | undefined {
  if (identity === undefined) return undefined;
  const file = scratch('raw-key.der');
  writeFileSync(file, createPublicKey(readFileSync(identity.cert)).export({ format: 'der', type: 'spki' }));
  return file;
}

function flag(wanted: boolean | undefined): number | undefined {
  return wanted === true ? 1 : undefined;
}

async function line(program: Program, nth: number): Promise<string> {
  await program.until(new RegExp(`(^connected .*\\n[\\s\\S]*?){${nth}}`, 'm'));
  return [...program.text.matchAll(/^connected (.*)\n/gm)][nth - 1]?.[1] ?? '';
}

function saidOf(text: string, ours: ReadonlyMap<string, string>): Said {
  const values = new Map(
    text.split(' ').map((word): [string, string] => {
      const [name = '', value = ''] = word.split('=');
      return [name, value];
    }),
  );
  const name = (key: string) => {
    const theirs = values.get(key);
    return theirs === undefined ? undefined : (ours.get(theirs) ?? theirs);
  };
  const yes = (key: 'resumed' | 'verified' | 'earlyData' | 'ech' | 'stapled') =>
    values.has(key) ? { [key]: values.get(key) === '1' } : {};
  return {
    suite: name('suite'),
    group: name('group'),
    scheme: name('scheme'),
    alpn: values.get('alpn'),
    servername: values.get('servername'),
    exported: values.get('exported'),
    ...yes('resumed'),
    ...yes('verified'),
    ...yes('earlyData'),
    ...yes('ech'),
    ...yes('stapled'),
  };
}
