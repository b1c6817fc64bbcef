// What every supported version of Node must do with the built packages: load them, shake hands and echo over loopback.
// A plain program, so that the version under test needs no test runner. scripts/node-versions.mjs runs it on each.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { supportedCertificateCompression } from 'tls13-node-crypto';
import { connect, createServer } from 'tls13-server';

const deadline = setTimeout(() => {
  console.error('no echo within 30 s');
  process.exit(1);
}, 30_000);

// As many as this Node has: zstd came with 22.15.
const certificateCompression = supportedCertificateCompression();
const { cert, key } = certificate();
const server = createServer({ cert, key, certificateCompression }, (connection) => connection.pipe(connection));
server.listen(0, '127.0.0.1');
await once(server, 'listening');

for (const length of [1, 16_384, 1_000_000]) await echo(length);
await stream(128);
for (const algorithm of certificateCompression) await echo(1, { certificateCompression: [algorithm] });

const closed = once(server, 'close');
server.close();
await closed;
clearTimeout(deadline);
console.log(
  `node ${process.version} (OpenSSL ${process.versions.openssl}): loaded, shook hands, echoed; ${certificateCompression.join(', ')}`,
);

async function echo(length, options = {}) {
  const sent = randomBytes(length);
  const { port } = server.address();
  const client = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: cert, ...options });
  await once(client, 'secureConnect');
  assert.equal(client.info.peerCertificateCompression, options.certificateCompression?.[0]);
  const ended = once(client, 'end');
  const received = [];
  client.on('data', (chunk) => received.push(chunk));
  client.end(sent);
  await ended;
  assert.ok(Buffer.concat(received).equals(sent), `${length} bytes came back changed`);
}

/** So much that memory for it is collected and used again, many times: who counts it must not miscount. */
async function stream(mebibytes) {
  const { port } = server.address();
  const client = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: cert });
  await once(client, 'secureConnect');
  const chunk = Buffer.alloc(1024 * 1024, 'not so random');
  let received = 0;
  client.on('data', (bytes) => {
    received += bytes.length;
  });
  const ended = once(client, 'end');
  for (let left = mebibytes; left > 0; left -= 1) if (!client.write(chunk)) await once(client, 'drain');
  client.end();
  await ended;
  assert.equal(received, mebibytes * chunk.length);
}

function certificate() {
  const folder = mkdtempSync(join(tmpdir(), 'tls13-smoke-'));
  const [certPath, keyPath] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const extensions = ['-addext', 'subjectAltName=DNS:localhost', '-addext', 'basicConstraints=critical,CA:FALSE'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const files = ['-subj', '/CN=localhost', '-days', '2', '-keyout', keyPath, '-out', certPath];
  try {
    execFileSync('openssl', ['req', '-x509', ...curve, ...files, ...extensions], { stdio: 'ignore' });
    return { cert: readFileSync(certPath), key: readFileSync(keyPath) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
