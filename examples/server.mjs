import { readFileSync } from 'node:fs';
import { createServer } from 'tls13-server';

const server = createServer({ cert: readFileSync('cert.pem'), key: readFileSync('key.pem') }, (connection) => {
  const { send, receive } = connection.offload;
  connection.write(
    `sending: ${send.where} ${send.reason ?? ''}, receiving: ${receive.where} ${receive.reason ?? ''}\n`,
  );
  connection.pipe(connection);
});
server.on('tlsClientError', (error) => console.error(error.code, error.message));
server.listen(Number(process.env.PORT ?? 8443), () => console.log('listening on', server.address().port));
