/** Certificates of both sides: those the shim has, and what it makes of the peer's. */
import {
  type CertificateRequestInfo,
  type ClientHelloInfo,
  createServerEngine,
  type PeerIdentity,
  TlsError,
} from 'tls13-core';
import { type Candidate, candidates, choose, type Wanted } from '../credentials.js';
import { expectBytes, expectSame } from '../failure.js';
import type { Feature, Seen } from '../feature.js';
import { type Flags, number, text } from '../flags.js';
import { answerer, readPem, type World } from '../world.js';
import { examineName } from './ech.js';
import { examineResponse } from './ocsp.js';
import { hasPsk, pskIndex } from './psk.js';
import { checkServerName } from './server-name.js';
import { checkSchemes } from './signatures.js';

export const certificates: Feature = {
  flags: {
    switches: [
      'expect-no-peer-cert',
      'expect-verify-result',
      'must-match-issuer',
      'new-delegated-credential',
      'new-x509-credential',
      'require-any-client-certificate',
      'reverify-on-resume',
      'verify-fail',
      'verify-peer',
    ],
    values: [
      'cert-file',
      'delegated-credential',
      'expect-client-ca-list',
      'expect-peer-cert-file',
      'expect-selected-credential',
      'key-file',
      'max-cert-list',
      'trust-cert',
      'use-client-ca-list',
    ],
  },
  client(flags, world, seen) {
    const all = candidates(flags, world);
    const later = answerer(flags.switches.has('async'));
    return {
      // Who has a PSK takes no certificate unless the runner says that it may.
      ...(hasPsk(flags) && !flags.switches.has('verify-peer')
        ? {}
        : { verifyPeer: (peer) => later(() => verify(flags, peer, seen)) }),
      credential: (request) =>
        later(() => {
          checkRequest(flags, request);
          return chosen(all, { ...request, certificateTypes: [request.certificateType] }, world, seen);
        }),
    };
  },
  server(flags, world, seen) {
    const all = candidates(flags, world);
    const later = answerer(flags.switches.has('async'));
    checkDelegations(all, world);
    const required = flags.switches.has('require-any-client-certificate');
    const authorities = text(flags, 'use-client-ca-list');
    return {
      credentials: (hello) =>
        later(() => {
          checkHello(flags, hello);
          return chosen(all, hello, world, seen);
        }),
      clientAuthentication: required ? 'require' : flags.switches.has('verify-peer') ? 'request' : 'none',
      verifyPeer: (peer) => later(() => verify(flags, peer, seen)),
      certificateAuthorities: authorities === undefined || authorities.startsWith('<') ? [] : fromHex(authorities),
    };
  },
  check(info, flags, seen) {
    const credential = seen.credential ?? pskIndex(info, flags) ?? -1;
    expectSame('selected credential', credential, number(flags, 'expect-selected-credential') ?? credential);
    const shown = info.peerCertificates.length + (info.peerRawPublicKey === undefined ? 0 : 1);
    if (flags.switches.has('expect-no-peer-cert')) expectSame('certificates of the peer', shown, 0);
    else if (info.authentication === 'psk') expectSame('certificates of the peer', shown, 0);
    else if (info.role === 'client' || flags.switches.has('require-any-client-certificate')) {
      expectSame('peer has certificates', shown > 0, true);
    }
    const chain = text(flags, 'expect-peer-cert-file');
    if (chain !== undefined) expectBytes('chain of the peer', info.peerCertificates, readPem(chain));
  },
};

function chosen(
  all: readonly Candidate[],
  wanted: Wanted,
  world: World,
  seen: Seen,
): Candidate['credential'] | undefined {
  const candidate = choose(all, wanted, world);
  seen.credential = candidate?.index;
  return candidate?.credential;
}

/** As a server does with credentials that it is given: a function's are looked at when they are chosen. */
function checkDelegations(all: readonly Candidate[], { provider }: World): void {
  const credentials = all.map(({ credential }) => credential).filter((one) => one.delegatedCredential !== undefined);
  if (credentials.length > 0) createServerEngine({ provider, credentials });
}

function checkRequest(flags: Flags, request: CertificateRequestInfo): void {
  const expected = text(flags, 'expect-client-ca-list');
  if (expected !== undefined) {
    expectBytes('certificate_authorities', request.certificateAuthorities, fromHex(expected));
  }
  checkSchemes(flags, request.signatureSchemes);
  refuseIfTold(flags);
}

function checkHello(flags: Flags, hello: ClientHelloInfo): void {
  checkServerName(flags, hello.serverName);
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

function verify(first: Flags, peer: PeerIdentity, seen: Seen): void {
  const flags = seen.retry ?? first;
  // The library always asks about the certificates of a session, which the runner must be told of.
  if (peer.resumed && !flags.switches.has('reverify-on-resume')) return;
  examineResponse(flags, peer, seen);
  examineName(flags, peer);
  // A client that was not told to insist on it takes a certificate that does not verify.
  const insists =
    peer.role === 'client' || peer.certificateType === 'rawPublicKey' || flags.switches.has('verify-peer');
  if (!flags.switches.has('verify-fail') || !insists) return;
  const custom = flags.switches.has('use-custom-verify-callback');
  throw new TlsError(custom ? 'certificate_unknown' : 'handshake_failure', 'the certificate does not verify');
}

function fromHex(list: string): readonly Uint8Array[] {
  return list.split(',').map((hex) => new Uint8Array(Buffer.from(hex, 'hex')));
}
