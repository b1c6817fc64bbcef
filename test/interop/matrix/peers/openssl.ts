/** OpenSSL's s_client and s_server. */
import type { NamedGroupName } from 'tls13-core';
import { scratch, trusted } from '../../identities.js';
import { sessionFile } from '../../peers/openssl-session.js';
import type { Program } from '../../peers/program.js';
import {
  type ExternalPsk,
  type Link,
  type Peer,
  type Place,
  type Reasons,
  type Said,
  start,
  versionIn,
  type Wish,
} from '../peer.js';

const groupNames: Readonly<Partial<Record<NamedGroupName, string>>> = {
  x25519: 'X25519',
  secp256r1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};

/** What it calls groups when it says which one it was. */
const saidGroups: Readonly<Record<string, NamedGroupName>> = {
  X25519: 'x25519',
  X448: 'x448',
  prime256v1: 'secp256r1',
  secp256r1: 'secp256r1',
  secp384r1: 'secp384r1',
  secp521r1: 'secp521r1',
  x25519: 'x25519',
};

export function openssl(place: Place, id: string, name: string, lacks: Reasons = {}): Peer {
  const run = (parameters: readonly string[]) => start(place, ['openssl', ...parameters], { unbuffered: true });
  const client = (port: number, wish: Wish, more: readonly string[] = []) =>
    run([
      ...['s_client', '-connect', `127.0.0.1:${port}`, '-servername', wish.servername ?? 'localhost'],
      ...verifying(wish),
      ...(wish.postHandshakeAuth === true ? ['-enable_pha'] : []),
      ...common(wish),
      ...(wish.alpn === undefined ? [] : ['-alpn', wish.alpn.join(',')]),
      ...(wish.ech?.configs === undefined ? [] : ['-ech_config_list', wish.ech.configs]),
      ...(wish.ech?.grease === true ? ['-ech_grease'] : []),
      ...(wish.staple === undefined ? [] : ['-status']),
      ...more,
    ]);
  return {
    id,
    name,
    version: () => versionIn(place, /OpenSSL (\S+)/, 'openssl', 'version'),
    lacks,
    client: async (port, wish) => {
      if (wish.resume !== true) return clientLink(client(port, wish), wish);
      const file = scratch(`s_client-${port}.session`);
      const first = client(port, wish, ['-sess_out', file]);
      await first.take(1);
      first.write('Q');
      await first.ended();
      const early = wish.earlyData === undefined ? [] : ['-early_data', wish.earlyData];
      return clientLink(client(port, wish, ['-sess_in', file, ...early]), wish);
    },
    server: async (wish) => {
      const program = run([
        ...['s_server', '-accept', '127.0.0.1:0'],
        ...common(wish),
        ...(wish.alpn === undefined ? [] : ['-alpn', wish.alpn.join(',')]),
        ...(wish.requestCert === true ? ['-Verify', '1', ...verifyingClients(wish)] : []),
        ...(wish.postHandshakeAuth === true ? ['-CAfile', trusted.files.cert] : []),
        ...(wish.compression === undefined ? [] : ['-cert_comp']),
        ...(wish.staple === undefined ? [] : ['-status_file', wish.staple]),
        ...(wish.servername === undefined ? [] : ['-servername', wish.servername, ...second(wish)]),
        ...(wish.earlyData === undefined ? [] : ['-early_data', '-max_early_data', '16384']),
        ...(wish.ech?.keyFile === undefined ? [] : ['-ech_key', wish.ech.keyFile]),
      ]);
      const [, port] = await program.until(/ACCEPT 127\.0\.0\.1:(\d+)\n/);
      return {
        port: Number(port),
        program,
        service: 'pipe',
        said: (nth) => serverSaid(program, wish, nth),
        updateKeys: (requestPeer) => update(program, requestPeer),
        requestCertificate: () => program.write('c\n'),
      };
    },
  };
}

/** The certificate for the name that is asked for, which it wants apart from the default. */
function second({ identity }: Wish): string[] {
  return identity === undefined ? [] : ['-cert2', identity.cert, '-key2', identity.key];
}

function common(wish: Wish): string[] {
  const { suite, groups, scheme, identity, externalPsk } = wish;
  return [
    '-tls1_3',
    ...(suite === undefined ? [] : ['-ciphersuites', suite]),
    // Otherwise CCM_8's short tag is not enough for it.
    ...(suite === 'TLS_AES_128_CCM_8_SHA256' ? ['-cipher', 'DEFAULT@SECLEVEL=0'] : []),
    ...(groups === undefined ? [] : ['-groups', groups.map((group) => groupNames[group] ?? group).join(':')]),
    ...(scheme === undefined ? [] : ['-sigalgs', scheme]),
    ...(identity === undefined ? [] : ['-cert', identity.cert, '-key', identity.key]),
    ...(wish.padding === undefined ? [] : ['-record_padding', `${wish.padding}`]),
    ...(wish.fragment === undefined
      ? []
      : ['-max_send_frag', `${wish.fragment}`, '-split_send_frag', `${wish.fragment}`]),
    ...(wish.exporter === undefined ? [] : ['-keymatexport', wish.exporter, '-keymatexportlen', '32']),
    ...(externalPsk === undefined ? [] : psk(externalPsk)),
    ...(wish.pskAlone === true ? ['-allow_no_dhe_kex'] : []),
    ...(wish.rawPublicKey === undefined ? [] : [`-enable_${wish.rawPublicKey}_rpk`]),
    ...(wish.keyLog === undefined ? [] : ['-keylogfile', wish.keyLog]),
  ];
}

/** A raw public key is verified by nobody: it has been told of none. */
function verifying({ rawPublicKey, servername = 'localhost' }: Wish): string[] {
  if (rawPublicKey === 'server') return [];
  return ['-CAfile', trusted.files.cert, '-verify_return_error', '-verify_hostname', servername];
}

function verifyingClients({ rawPublicKey }: Wish): string[] {
  return rawPublicKey === 'client' ? [] : ['-CAfile', trusted.files.cert, '-verify_return_error'];
}

/** Its word for a key is for SHA-256 alone; another goes in as a session. */
function psk({ identity, key, hash }: ExternalPsk): string[] {
  const given = hash === 'sha256' ? ['-psk', key.toString('hex')] : ['-psk_session', sessionFile(key)];
  return ['-psk_identity', identity, ...given];
}

function clientLink(program: Program, wish: Wish): Link {
  return {
    program,
    service: 'pipe',
    said: async () => {
      const end = /^---\nread R BLOCK\n|^---\n[\s\S]*(New|Reused), TLSv1\.3[\s\S]*Verify return code: .*\n/m;
      await program.until(end);
      if (wish.exporter !== undefined) await program.until(/Keying material: \w+\n/);
      const { text } = program;
      return {
        suite: /(?:New|Reused), TLSv1\.3, Cipher is (\S+)/.exec(text)?.[1],
        ...groupOf(text),
        scheme: scheme(text),
        alpn: /ALPN protocol: (\S+)/.exec(text)?.[1],
        resumed: /^Reused, TLSv1\.3/m.test(text),
        verified: /Verify return code: 0 \(ok\)/.test(text),
        earlyData: /Early data was accepted/.test(text),
        exported: /Keying material: (\w+)\n/.exec(text)?.[1]?.toLowerCase(),
        stapled: /OCSP Response Status: successful/.test(text),
      };
    },
    updateKeys: (requestPeer) => update(program, requestPeer),
    close: () => program.write('Q'),
  };
}

/** Of its newest connection: one follows another in what it prints. */
async function serverSaid(program: Program, wish: Wish, nth: number): Promise<Said> {
  // Where it looks for early data, it may say nothing else.
  if (wish.earlyData !== undefined) {
    const [found] = await program.until(/Early data received:|Early data was rejected/);
    return { earlyData: found === 'Early data received:' };
  }
  await program.until(
    new RegExp(`(CIPHER is [\\s\\S]*?(Secure Renegotiation|This TLS version forbids)[\\s\\S]*?){${nth}}`),
  );
  if (wish.exporter !== undefined) await program.until(/Keying material: \w+\n/);
  const all = program.text;
  const text = all.slice(all.lastIndexOf('-----BEGIN SSL SESSION PARAMETERS-----'));
  return {
    suite: /CIPHER is (\S+)/.exec(text)?.[1],
    alpn: /ALPN protocols selected: (\S+)/.exec(text)?.[1],
    servername: /Hostname in TLS extension: "?([\w.]+)"?/.exec(all)?.[1],
    resumed: /Reused session-id/.test(text),
    ...(wish.requestCert === true ? { verified: /Client certificate/.test(text) || /verify return:1/.test(all) } : {}),
    exported: /Keying material: (\w+)\n/.exec(text)?.[1]?.toLowerCase(),
  };
}

function update(program: Program, requestPeer: boolean): void {
  program.write(requestPeer ? 'K\n' : 'k\n');
}

function groupOf(text: string): Said {
  const name = /(?:Server|Peer) Temp Key: (?:ECDH, )?(\w+)|Negotiated TLS1\.3 group: (\w+)/.exec(text);
  const negotiated = /Negotiated TLS1\.3 group: (\w+)/.exec(text)?.[1] ?? name?.[1];
  return negotiated === undefined ? {} : { group: saidGroups[negotiated] ?? negotiated };
}

/** It names the digest and the type apart. */
function scheme(text: string): string | undefined {
  const [, digest = ''] = /Peer signing digest: (\w+)/.exec(text) ?? [];
  const [, type] = /Peer signature type: ([\w-]+)/.exec(text) ?? [];
  if (type === undefined) return undefined;
  const whole = schemesOf[`${type} ${digest}`.trim()];
  return whole ?? (/[a-z]/.test(type) ? type : undefined);
}

const schemesOf: Readonly<Record<string, string>> = {
  'ECDSA SHA256': 'ecdsa_secp256r1_sha256',
  'ECDSA SHA384': 'ecdsa_secp384r1_sha384',
  'ECDSA SHA512': 'ecdsa_secp521r1_sha512',
};
