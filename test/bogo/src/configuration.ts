/** From the runner's flags to the configuration of an engine. */
import {
  type ClientConfig,
  type ClientHelloInfo,
  type CommonConfig,
  cipherSuites,
  type NamedGroupName,
  namedGroups,
  type PeerCertificates,
  type Protector,
  type ServerConfig,
  type Session,
  type SignatureSchemeName,
  signatureSchemes,
  TlsError,
} from 'tls13-core';
import { type Candidate, candidates, choose, type Wanted } from './credentials.js';
import { Failure } from './failure.js';
import { base64, type Flags, number, numbers, text, Unimplemented } from './flags.js';
import { answerer, type World } from './world.js';

/** What the callbacks saw, for the checks behind the handshake. */
export interface Seen {
  /** `undefined` when no credential was asked for. */
  credential: number | undefined;
  ocspResponse: Uint8Array | undefined;
}

export function serverConfig(flags: Flags, world: World, seen: Seen): ServerConfig {
  const all = candidates(flags, world);
  const later = answerer(flags.switches.has('async'));
  const required = flags.switches.has('require-any-client-certificate');
  const authorities = text(flags, 'use-client-ca-list');
  const tickets = flags.switches.has('no-ticket')
    ? {}
    : { tickets: { protector: ticketKeys(flags, world), count: flags.switches.has('skip-ticket') ? 0 : 2 } };
  return {
    ...common(flags, world),
    credentials: (hello) =>
      later(() => {
        checkHello(flags, hello);
        return chosen(all, hello, seen);
      }),
    ...selectAlpn(flags),
    clientAuthentication: required ? 'require' : flags.switches.has('verify-peer') ? 'request' : 'none',
    verifyPeer: (peer) => later(() => verify(flags, peer, seen)),
    certificateAuthorities: authorities === undefined || authorities.startsWith('<') ? [] : fromHex(authorities),
    // What the runner takes for the default of every server.
    middleboxCompatibility: true,
    insistOnGroups: true,
    prioritizeChaCha: true,
    ...tickets,
  };
}

export function clientConfig(flags: Flags, session: Session | undefined, world: World, seen: Seen): ClientConfig {
  const all = candidates(flags, world);
  const later = answerer(flags.switches.has('async'));
  const serverName = text(flags, 'host-name');
  return {
    ...common(flags, world),
    ...(serverName === undefined ? {} : { serverName }),
    ...(session === undefined ? {} : { session }),
    keyShares: keyShares(flags, world),
    ocspStapling: flags.switches.has('enable-ocsp-stapling'),
    alpnProtocols: protocolNames(text(flags, 'advertise-alpn') ?? ''),
    verifyPeer: (peer) => later(() => verify(flags, peer, seen)),
    credential: (request) =>
      later(() => {
        const expected = text(flags, 'expect-client-ca-list');
        if (expected !== undefined) checkAuthorities(request.certificateAuthorities, fromHex(expected));
        checkSchemes(flags, request.signatureSchemes);
        refuseIfTold(flags);
        return chosen(all, request, seen);
      }),
  };
}

function common(flags: Flags, world: World): CommonConfig {
  const groups = numbers(flags, 'curves');
  const schemes = numbers(flags, 'verify-prefs');
  const longest = number(flags, 'max-cert-list');
  return {
    provider: world.provider,
    now: world.now,
    keyLog: flags.switches.has('export-traffic-secrets'),
    ...(groups === undefined ? {} : { groups: groups.map((code) => groupName(code, world)) }),
    signatureSchemes: schemes?.map((code) => schemeName(code, world)) ?? defaultSchemes,
    // As much early data as the runner takes for the limit.
    limits: { skippedEarlyData: 16_384, ...(longest === undefined ? {} : { handshakeMessage: longest }) },
  };
}

/** What the runner takes for the default: neither P-521 nor Ed25519. */
const defaultSchemes: readonly SignatureSchemeName[] = [
  'ecdsa_secp256r1_sha256',
  'rsa_pss_rsae_sha256',
  'ecdsa_secp384r1_sha384',
  'rsa_pss_rsae_sha384',
  'rsa_pss_rsae_sha512',
];

/** The runner's names for what this provider has; a case about anything else is passed over. */
function groupName(code: number, { provider }: World): NamedGroupName {
  const name = provider.groups.find((group) => namedGroups[group] === code);
  if (name === undefined) throw new Unimplemented(`group ${code}`);
  return name;
}

function schemeName(code: number, { provider }: World): SignatureSchemeName {
  const name = provider.signatureSchemes.find((scheme) => signatureSchemes[scheme] === code);
  if (name === undefined) throw new Unimplemented(`signature scheme ${code}`);
  return name;
}

/** The best hybrid and the best classical group, unless the runner says otherwise. */
function keyShares(flags: Flags, world: World): readonly NamedGroupName[] {
  const given = numbers(flags, 'key-shares')?.map((code) => groupName(code, world));
  const ours = numbers(flags, 'curves')?.map((code) => groupName(code, world)) ?? world.provider.groups;
  // A hint names groups that the server has: the best that both have is worth a share, and no other is.
  const hint = numbers(flags, 'server-supported-groups-hint');
  const hinted = hint === undefined ? undefined : ours.find((group) => hint.includes(namedGroups[group]));
  if (hinted !== undefined) return [hinted];
  if (flags.switches.has('no-key-shares')) return [];
  const isHybrid = (group: NamedGroupName) => group.includes('MLKEM');
  const best = [ours.find(isHybrid), ours.find((group) => !isHybrid(group))];
  return given ?? best.filter((group) => group !== undefined);
}

function chosen(all: readonly Candidate[], wanted: Wanted, seen: Seen): Candidate['credential'] | undefined {
  const candidate = choose(all, wanted);
  seen.credential = candidate?.index;
  return candidate?.credential;
}

function checkHello(flags: Flags, hello: ClientHelloInfo): void {
  const expected = text(flags, 'expect-server-name');
  if (expected !== undefined && hello.serverName !== expected) {
    throw new Failure(`server name ${hello.serverName}; expected ${expected}`);
  }
  if (flags.switches.has('expect-no-server-name') && hello.serverName !== undefined) {
    throw new Failure(`server name ${hello.serverName}; expected none`);
  }
  checkSchemes(flags, hello.signatureSchemes);
  if (flags.switches.has('fail-early-callback')) {
    throw new TlsError('handshake_failure', 'the early callback refuses the connection');
  }
  refuseIfTold(flags);
}

function refuseIfTold(flags: Flags): void {
  if (flags.switches.has('fail-cert-callback')) {
    throw new TlsError('internal_error', 'the certificate callback refuses the connection');
  }
}

function checkSchemes(flags: Flags, seen: readonly number[]): void {
  const expected = numbers(flags, 'expect-peer-verify-pref');
  if (expected !== undefined && expected.join() !== seen.join()) {
    throw new Failure(`signature_algorithms ${seen.join()}; expected ${expected.join()}`);
  }
}

function checkAuthorities(seen: readonly Uint8Array[], expected: readonly Uint8Array[]): void {
  const same =
    seen.length === expected.length && seen.every((name, i) => Buffer.compare(name, expected[i] ?? name) === 0);
  if (!same) throw new Failure('certificate_authorities are not the expected ones');
}

function verify(flags: Flags, peer: PeerCertificates, seen: Seen): void {
  // The library always asks about the certificates of a session, which the runner must be told of.
  if (peer.resumed && !flags.switches.has('reverify-on-resume')) return;
  seen.ocspResponse = peer.ocspResponse?.slice();
  const expected = base64(flags, 'expect-ocsp-response');
  if (expected !== undefined && Buffer.compare(expected, seen.ocspResponse ?? new Uint8Array(0)) !== 0) {
    throw new Failure('the OCSP response is not the expected one');
  }
  // A client that was not told to insist on it takes a certificate that does not verify.
  const insists = peer.role === 'client' || flags.switches.has('verify-peer');
  if (!flags.switches.has('verify-fail') || !insists) return;
  const custom = flags.switches.has('use-custom-verify-callback');
  throw new TlsError(custom ? 'certificate_unknown' : 'handshake_failure', 'the certificate does not verify');
}

function selectAlpn(flags: Flags): Pick<ServerConfig, 'selectAlpnProtocol'> {
  const selected = flags.switches.has('select-empty-alpn') ? '' : text(flags, 'select-alpn');
  if (flags.switches.has('reject-alpn')) return { selectAlpnProtocol: () => undefined };
  if (selected === undefined || flags.switches.has('decline-alpn')) return {};
  const expected = text(flags, 'expect-advertised-alpn');
  return {
    selectAlpnProtocol(offered) {
      if (expected !== undefined && protocolNames(expected).join() !== offered.join()) {
        throw new Failure(`the client offers the protocols ${offered.join()}`);
      }
      return selected;
    },
  };
}

function ticketKeys(flags: Flags, world: World): Protector {
  const later = answerer(flags.switches.has('async'));
  const { ticketKeys: keys } = world;
  return { protect: (state) => keys.protect(state), unprotect: (sealed) => later(() => keys.unprotect(sealed)) };
}

/** ProtocolNameList of RFC 7301 §3.1, without its own length. */
function protocolNames(list: string): readonly string[] {
  const names: string[] = [];
  for (let rest = list; rest.length > 0; ) {
    const length = rest.charCodeAt(0);
    names.push(rest.slice(1, 1 + length));
    rest = rest.slice(1 + length);
  }
  return names;
}

function fromHex(list: string): readonly Uint8Array[] {
  return list.split(',').map((hex) => new Uint8Array(Buffer.from(hex, 'hex')));
}

export function suiteCode(name: keyof typeof cipherSuites): number {
  return cipherSuites[name];
}
