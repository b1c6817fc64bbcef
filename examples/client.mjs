import { readFileSync } from 'node:fs';
import { connect } from 'tls13-server';

const connection = connect({
  host: 'localhost',
  port: Number(process.env.PORT ?? 8443),
  servername: 'localhost',
  ca: readFileSync('cert.pem'),
});
connection.on('secureConnect', () => {
  console.log(connection.getCipher().name, connection.info.group, connection.isSessionReused() ? 'resumed' : 'full');
  connection.end('hello\n');
});
connection.pipe(process.stdout);
