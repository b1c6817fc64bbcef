/** Raw public keys (RFC 7250) with GnuTLS's programs, each way, and who is refused. */
import { createPublicKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { clientIdentity, type Identity, serverIdentity } from './identities.js';
import { dial, dialInVain, listen, receive } from './ours.js';
import { gnutlsCli, gnutlsServ } from './peers/gnutls.js';

const server = serverIdentity('p256');
const client = clientIdentity('p384');

function publicKey({ key }: Identity): string {
  return createPublicKey(key).export({ format: 'pem', type: 'spki' }).toString();
}

/** As the programs take them. */
function pairOf(identity: Identity) {
  const file = `${identity.files.key}.public`;
  writeFileSync(file, publicKey(identity));
  return { key: identity.files.key, publicKey: file };
}

/** Beside the certificate that a server of these tests has. */
const shown = (identity: Identity) => ({ credentials: [{ key: identity.keyPem, rawPublicKey: true }] });

describe('gnutls-cli gets the raw public key of our server', () => {
  it.each(['p256', 'p384', 'p521', 'ed25519', 'rsa'] as const)('of %s', async (kind) => {
    const ours = await listen();
    // Whoever has certificates too shows those to clients that take either.
    ours.server.setCredentials({ key: serverIdentity(kind).keyPem, rawPublicKey: true });
    const program = gnutlsCli(ours.port, { raw: 'none of its own', more: ['--insecure'] });
    const connection = await ours.next();
    expect(connection.info?.localRawPublicKey).toBeDefined();
    await program.until(/Certificate type: Raw Public Key/);
    program.write('hello\n');
    expect(String(await receive(connection, 6))).toBe('hello\n');
  });

  it('and shows its own, which is the one expected', async () => {
    const expected = { requestCert: true, expectedRawPublicKeys: publicKey(client) };
    const ours = await listen({ ...shown(server), ...expected });
    gnutlsCli(ours.port, { raw: pairOf(client), more: ['--insecure'] });
    const connection = await ours.next();
    expect(connection.authorized).toBe(true);
    expect(connection.getPeerPublicKey()?.equals(createPublicKey(client.key))).toBe(true);
  });

  it('and is refused with another of its own, or with a certificate', async () => {
    const expected = { requestCert: true, expectedRawPublicKeys: publicKey(server) };
    const ours = await listen({ ...shown(server), ...expected });
    const stranger = gnutlsCli(ours.port, { raw: pairOf(client), more: ['--insecure'] });
    expect(await ours.failure()).toMatchObject({ alert: 'certificate_unknown', code: 'RPK_UNTRUSTED' });
    await stranger.until(/Could not establish|fatal alert|Certificate is unknown/);
    gnutlsCli(ours.port, { identity: client.files });
    expect(await ours.failure()).toMatchObject({ alert: 'unsupported_certificate' });
  });
});

describe('our client and gnutls-serv with a raw public key', () => {
  const raw = pairOf(server);
  const { files } = serverIdentity('ed25519');

  it('pass data, once the key is the one expected', async () => {
    const { port, program } = await gnutlsServ({ identity: files, raw, more: ['--disable-client-cert'] });
    const connection = await dial(port, { expectedRawPublicKeys: publicKey(server) });
    expect([connection.authorized, connection.info?.peerCertificates]).toEqual([true, []]);
    connection.write('hello\n');
    expect(String(await receive(connection, 6))).toBe('hello\n');
    await program.until(/Description: /);
    const error = await dialInVain(port, { expectedRawPublicKeys: publicKey(client) });
    expect(error).toMatchObject({ code: 'RPK_UNTRUSTED', alert: 'certificate_unknown' });
  });

  it('take each other for who they are', async () => {
    const { port, program } = await gnutlsServ({ identity: files, raw, more: ['--require-client-cert'] });
    const own = { key: client.keyPem, rawPublicKey: true } as const;
    const connection = await dial(port, { ...own, expectedRawPublicKeys: publicKey(server) });
    expect(connection.info?.localRawPublicKey).toBeDefined();
    const [, shownKey] = await program.until(/(-----BEGIN PUBLIC KEY-----[\s\S]*?-----END PUBLIC KEY-----)/);
    expect(createPublicKey(shownKey ?? '').equals(createPublicKey(client.key))).toBe(true);
  });

  it('do not agree on one when it is not asked for: the certificate it is', async () => {
    const { port } = await gnutlsServ({ identity: files, raw, more: ['--disable-client-cert'] });
    const connection = await dial(port);
    expect(connection.info?.peerRawPublicKey).toBeUndefined();
    expect(connection.authorized).toBe(true);
  });
});
