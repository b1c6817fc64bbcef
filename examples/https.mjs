import { readFileSync } from 'node:fs';
import express from 'express';
import { createHttpsServer, sendFile } from 'tls13-server';

const app = express();
app.get('/hello', (request, response) => response.json({ protocol: request.socket.getProtocol() }));
// Ranges, conditional requests, HEAD, content types; and sendfile(2) when the kernel seals.
app.use((request, response) => sendFile(request, response, request.path, { root: 'site' }));

const options = { cert: readFileSync('cert.pem'), key: readFileSync('key.pem') };
const server = createHttpsServer(options, app);
server.listen(Number(process.env.PORT ?? 8443), () => console.log('listening on', server.address().port));
process.once('SIGTERM', () => server.shutdown());
