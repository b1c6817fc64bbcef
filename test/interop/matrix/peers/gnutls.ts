/** GnuTLS's gnutls-cli and gnutls-serv. */
import { createPublicKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { type Files, scratch, trusted } from '../../identities.js';
import { cipherNames, signatureNames } from '../../peers/gnutls.js';
import { freePort, type Program } from '../../peers/program.js';
import {
  type Link,
  logging,
  type Peer,
  type Place,
  type Reasons,
  type Said,
  start,
  versionIn,
  type Wish,
} from '../peer.js';

const signatures = { ...signatureNames, ed448: 'EdDSA-Ed448' };

export function gnutls(place: Place, id: string, lacks: Reasons): Peer {
  const run = (wish: Wish, parameters: readonly string[]) =>
    start(place, [...logging(wish), 'stdbuf', '-oL', ...parameters]);
  return {
    id,
    name: 'GnuTLS',
    version: () => versionIn(place, /gnutls-cli (\S+)/, 'gnutls-cli', '--version'),
    lacks,
    faults: {
      'early-data-retry': {
        client: 'it encrypts its second ClientHello like early data (§4.2.2)',
        server: 'it takes early data before the second ClientHello for broken records',
      },
    },
    client: async (port, wish) => {
      const { servername = 'localhost' } = wish;
      const program = run(wish, [
        ...['gnutls-cli', '--port', `${port}`, '--x509cafile', trusted.files.cert, '--inline-commands'],
        ...['--sni-hostname', servername, '--verify-hostname', servername],
        ...common(wish),
        ...(wish.rawPublicKey === 'server' ? ['--insecure'] : []),
        ...(wish.resume === true ? ['--resume', '--waitresumption'] : []),
        ...(wish.earlyData === undefined ? [] : ['--earlydata', wish.earlyData]),
        ...(wish.groups === undefined ? [] : ['--single-key-share']),
        ...(wish.externalPsk === undefined ? [] : psk(wish)),
        ...(wish.postHandshakeAuth === true ? ['--post-handshake-auth'] : []),
        'localhost',
      ]);
      return clientLink(program, wish);
    },
    server: async (wish) => {
      const port = await freePort();
      const program = run(wish, [
        ...['gnutls-serv', '--port', `${port}`, '--echo'],
        ...common(wish),
        ...(wish.requestCert === true ? requesting(wish) : ['--disable-client-cert']),
        ...(wish.servername === undefined ? [] : ['--sni-hostname', wish.servername]),
        ...(wish.earlyData === undefined ? [] : ['--earlydata', '--maxearlydata', '16384']),
        ...(wish.staple === undefined ? [] : ['--ocsp-response', wish.staple, '--ignore-ocsp-response-errors']),
        ...(wish.externalPsk === undefined ? [] : ['--pskpasswd', passwordFile(wish)]),
      ]);
      await program.until(/IPv4 0\.0\.0\.0 port \d+\.\.\.done/);
      return { port, program, service: 'echo', said: (nth) => serverSaid(program, wish, nth) };
    },
  };
}

function common(wish: Wish): string[] {
  const { suite, groups, scheme, identity } = wish;
  const named = scheme === undefined ? undefined : signatures[scheme];
  const priority = [
    'NORMAL:-VERS-ALL:+VERS-TLS1.3',
    suite === undefined ? '+AES-128-CCM' : `-CIPHER-ALL:+${cipherNames[suite]}`,
    ...(groups === undefined ? [] : ['-GROUP-ALL', ...groups.map((group) => `+GROUP-${group.toUpperCase()}`)]),
    // The second one is the authority's.
    ...(named === undefined ? [] : ['-SIGN-ALL', `+SIGN-${named}`, '+SIGN-ECDSA-SECP256R1-SHA256']),
    ...(wish.externalPsk === undefined ? [] : [wish.pskAlone === true ? '-KX-ALL' : '+ECDHE-PSK', '+PSK']),
    ...(wish.rawPublicKey === 'client' ? ['+CTYPE-CLI-RAWPK'] : []),
    ...(wish.rawPublicKey === 'server' ? ['-CTYPE-SRV-ALL', '+CTYPE-SRV-RAWPK'] : []),
  ];
  return [
    ...['--priority', priority.join(':')],
    ...(identity === undefined ? [] : ['--x509certfile', identity.cert, '--x509keyfile', identity.key]),
    ...(identity === undefined || wish.rawPublicKey === undefined ? [] : rawPair(identity)),
    ...(wish.alpn ?? []).flatMap((name) => ['--alpn', name]),
    ...(wish.exporter === undefined ? [] : ['--keymatexport', wish.exporter, '--keymatexportsize', '32']),
    ...(wish.recordSizeLimit === undefined ? [] : ['--recordsize', `${wish.recordSizeLimit}`]),
    ...(wish.compression === undefined ? [] : ['--compress-cert', wish.compression]),
  ];
}

function requesting({ rawPublicKey }: Wish): string[] {
  const verifying = rawPublicKey === 'client' ? [] : ['--verify-client-cert'];
  return ['--x509cafile', trusted.files.cert, '--require-client-cert', ...verifying];
}

function rawPair({ key }: Files): string[] {
  const file = `${key}.public`;
  writeFileSync(file, createPublicKey(readFileSync(key)).export({ format: 'pem', type: 'spki' }));
  return ['--rawpkkeyfile', key, '--rawpkfile', file];
}

function psk({ externalPsk }: Wish): string[] {
  if (externalPsk === undefined) return [];
  return ['--pskusername', externalPsk.identity, '--pskkey', externalPsk.key.toString('hex')];
}

function passwordFile({ externalPsk }: Wish): string {
  const file = scratch('gnutls.psk');
  if (externalPsk !== undefined) writeFileSync(file, `${externalPsk.identity}:${externalPsk.key.toString('hex')}\n`);
  return file;
}

function clientLink(program: Program, wish: Wish): Link {
  return {
    program,
    service: 'pipe',
    said: async () => {
      await program.until(new RegExp(`(Handshake was completed[\\s\\S]*?){${wish.resume === true ? 2 : 1}}`));
      const { text } = program;
      return {
        ...described(text),
        alpn: /Application protocol: (\S+)/.exec(text)?.[1],
        resumed: /This is a resumed session/.test(text),
        verified: /The certificate is trusted/.test(text),
        exported: /Key material: ([0-9a-f]+)\n/.exec(text)?.[1],
        stapled: /OCSP status request/.test(text),
      };
    },
    updateKeys: (requestPeer) => program.write(requestPeer ? '^rekey^\n' : '^rekey1^\n'),
    close: () => program.end(),
  };
}

async function serverSaid(program: Program, wish: Wish, nth: number): Promise<Said> {
  const { text } = await settled(program, nth);
  const last = text.slice(text.lastIndexOf('* Accepted connection'));
  return {
    ...described(last),
    alpn: /Application protocol: (\S+)/.exec(last)?.[1],
    servername: /Given server name\[\d\]: (\S+)/.exec(last)?.[1],
    resumed: /This is a resumed session/.test(last),
    exported: /Key material: ([0-9a-f]+)\n/.exec(last)?.[1],
    ...(wish.requestCert === true ? { verified: /The certificate is trusted/.test(last) } : {}),
  };
}

async function settled(program: Program, nth: number): Promise<Program> {
  await program.until(new RegExp(`(- Description: .*\\n[\\s\\S]*?){${nth}}`));
  return program;
}

/** `(TLS1.3)-(ECDHE-SECP256R1)-(ECDSA-SECP256R1-SHA256)-(AES-128-GCM)` */
function described(text: string): Said {
  const parts = [...(/.*Description: (.*)\n/.exec(text)?.[1] ?? '').matchAll(/\(([^)]*)\)/g)].map(([, part]) => part);
  const named = (names: object, part: string | undefined) =>
    Object.entries(names).find(([, name]) => name === part)?.[0];
  return {
    suite: named(cipherNames, parts.at(-1)),
    group: parts
      .find((part) => part?.startsWith('ECDHE-'))
      ?.slice(6)
      .toLowerCase(),
    scheme: parts.map((part) => named(signatures, part)).find((name) => name !== undefined),
  };
}
