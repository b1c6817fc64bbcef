// Another Node's node:tls as a peer: `node node-peer.mjs client|server OPTIONS-IN-JSON`. Says in a line of JSON what the
// connection is; what it receives goes to stdout, a server echoes it too, and a client sends what comes from stdin.
import { connect, createServer } from 'node:tls';

const [role, json] = process.argv.slice(2);
const options = JSON.parse(json);
const say = (what) => process.stderr.write(`${JSON.stringify(what)}\n`);
const failed = (error) => say({ failed: error.code ?? error.message });
const connected = (socket) =>
  say({
    connected: socket.getProtocol(),
    cipher: socket.getCipher().standardName,
    group: socket.getEphemeralKeyInfo?.()?.name ?? null,
    resumed: socket.isSessionReused(),
    exported: socket.exportKeyingMaterial(32, 'EXPORTER-interop').toString('hex'),
  });

if (role === 'server') {
  const server = createServer(options, (socket) => {
    socket.on('error', failed);
    connected(socket);
    socket.pipe(socket);
  });
  server.on('tlsClientError', failed);
  server.listen(0, '127.0.0.1', () => say({ port: server.address().port }));
} else {
  const socket = connect(options, () => {
    connected(socket);
    process.stdin.pipe(socket);
    socket.pipe(process.stdout);
  });
  socket.on('error', failed);
}
