/** OCSP responses, SCTs and the names of authorities, with OpenSSL's programs, each way. */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { certificateSubject } from 'tls13-core';
import { connect } from 'tls13-server';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Identity, scratch, serverIdentity, stranger, trusted } from './identities.js';
import { dial, listen } from './ours.js';
import { sClient, sServer } from './peers/openssl.js';

const identity = serverIdentity('p256');

/** What the tests' authority says of a certificate, as its responder would. */
function responseFor({ files, der }: Identity): { readonly file: string; readonly bytes: Buffer } {
  const index = scratch('index');
  const { serialNumber } = new X509Certificate(der);
  writeFileSync(index, `V\t991231235959Z\t\t${serialNumber}\tunknown\t/CN=localhost\n`);
  const [request, file] = [scratch('request.der'), scratch('response.der')];
  const authority = ['-CA', trusted.files.cert, '-rsigner', trusted.files.cert, '-rkey', trusted.files.key];
  const quiet = { stdio: 'ignore' } as const;
  execFileSync('openssl', ['ocsp', '-issuer', trusted.files.cert, '-cert', files.cert, '-reqout', request], quiet);
  const answer = ['ocsp', '-index', index, ...authority, '-reqin', request, '-respout', file, '-ndays', '1'];
  execFileSync('openssl', answer, quiet);
  return { file, bytes: readFileSync(file) };
}

describe('openssl s_client -status', () => {
  it('is shown the response of our server, and finds it good', async () => {
    const { bytes } = responseFor(identity);
    const ours = await listen({ ocspResponse: bytes });
    const program = sClient(ours.port, { more: ['-status', '-CAfile', trusted.files.cert] });
    await ours.next();
    await program.until(/OCSP Response Status: successful[\s\S]*Cert Status: good/);
  });

  it('is shown what the event OCSPRequest answers', async () => {
    const { bytes } = responseFor(identity);
    const ours = await listen();
    ours.server.on(
      'OCSPRequest',
      (certificate: Buffer, _issuer: unknown, done: (error: null, bytes: Buffer) => void) => {
        expect(new Uint8Array(certificate)).toEqual(identity.der);
        setImmediate(done, null, bytes);
      },
    );
    const program = sClient(ours.port, { more: ['-status'] });
    await ours.next();
    await program.until(/OCSP Response Status: successful/);
  });

  it('is told that there is none', async () => {
    const ours = await listen();
    const program = sClient(ours.port, { more: ['-status'] });
    await ours.next();
    await program.until(/OCSP response: no response sent/);
  });
});

describe('openssl s_server -status_file', () => {
  it('shows its response to our client', async () => {
    const { file, bytes } = responseFor(identity);
    const { port } = await sServer({ identity: identity.files, more: ['-status_file', file] });
    const connection = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: trusted.pem });
    onTestFinished(() => void connection.destroy());
    expect((await once(connection, 'OCSPResponse'))[0]).toEqual(bytes);
  });

  it('shows none where none is asked for', async () => {
    const { file } = responseFor(identity);
    const { port } = await sServer({ identity: identity.files, more: ['-status_file', file] });
    expect((await dial(port, { requestOCSP: false })).info?.ocspResponse).toBeUndefined();
  });
});

describe('SCTs (RFC 6962)', () => {
  // v1, the log's id, a time, no extensions, and a signature that nobody here verifies.
  const signed = Buffer.from([4, 3, 0, 2, 0x30, 0]);
  const sct = Buffer.concat([
    Buffer.from([0]),
    Buffer.alloc(32, 7),
    Buffer.from('0000018f00000000', 'hex'),
    Buffer.from([0, 0]),
    signed,
  ]);

  it('of our server are read by s_client -ct', async () => {
    const ours = await listen({ signedCertificateTimestamps: [sct] });
    const noLogs = scratch('logs.cnf');
    writeFileSync(noLogs, 'enabled_logs =\n');
    const program = sClient(ours.port, { more: ['-ct', '-ctlogfile', noLogs] });
    await ours.next();
    await program.until(/SCTs present \(1\)[\s\S]*Log ID\s+: 07:07:07/);
  });

  it('of s_server -serverinfo reach our client', async () => {
    const file = scratch('serverinfo.pem');
    // Of ClientHello and a Certificate of TLS 1.3, type 18: what its header says of each extension.
    const list = Buffer.concat([Buffer.from([0, sct.length + 2, 0, sct.length]), sct]);
    const info = Buffer.concat([Buffer.from([0, 0, 0x10, 0x80, 0, 18, 0, list.length]), list]);
    const label = 'SERVERINFOV2 FOR SCT';
    writeFileSync(
      file,
      `-----BEGIN ${label}-----\n${info.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END ${label}-----\n`,
    );
    const { port } = await sServer({ identity: identity.files, more: ['-serverinfo', file] });
    const asking = await dial(port, { requestSCT: true });
    expect(asking.info?.signedCertificateTimestamps?.map((one) => Buffer.from(one))).toEqual([sct]);
    // It serves one at a time.
    asking.destroy();
    expect((await dial(port)).info?.signedCertificateTimestamps).toEqual([]);
  });
});

describe('the names of authorities', () => {
  it('of our server are those of ca, and s_client reads them', async () => {
    const ours = await listen({ ca: [trusted.pem, stranger.pem], requestCert: true, rejectUnauthorized: false });
    const program = sClient(ours.port);
    await ours.next();
    await program.until(/Acceptable client certificate CA names\nCN = Interop CA\nCN = Other CA\n/);
  });

  it('are left out when told so', async () => {
    const asking = { ca: trusted.pem, requestCert: true, rejectUnauthorized: false, certificateAuthorities: false };
    const ours = await listen(asking);
    const program = sClient(ours.port);
    await ours.next();
    await program.until(/No client certificate CA names sent/);
  });

  it('of s_server are seen by our client', async () => {
    const asking = ['-CAfile', trusted.files.cert, '-Verify', '1', '-verify_quiet'];
    const { port } = await sServer({ identity: identity.files, more: asking });
    const names: (readonly Uint8Array[])[] = [];
    const connection = connect({
      ...{ host: '127.0.0.1', port, servername: 'localhost', ca: trusted.pem },
      onCertificateRequest: ({ certificateAuthorities }) => {
        names.push(certificateAuthorities);
        return undefined;
      },
    });
    onTestFinished(() => void connection.destroy());
    connection.on('error', () => undefined);
    await once(connection, 'secureConnect');
    expect(names).toEqual([[certificateSubject(trusted.der)]]);
  });

  it('of our client are seen by s_server', async () => {
    const { port, program } = await sServer({ identity: identity.files, more: ['-state', '-tlsextdebug'] });
    await dial(port, { certificateAuthorities: true });
    await program.until(/TLS client extension "certificate authorities"/);
  });
});
