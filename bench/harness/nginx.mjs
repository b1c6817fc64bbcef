// nginx as a server that is measured: one worker, the same parameters, and answers as small as programs/serve.mjs gives.
// It is asked as a program of ours is (program.mjs).
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** @param command the words that start it, @param cpu the processor to stay on */
export function startNginx(command, { cpu } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'tls13-bench-nginx-'));
  let child;
  let worker;
  const questions = {
    listen: async ({ stack, application, options, certificate }) => {
      const port = await freePort();
      writeFileSync(join(folder, 'cert.pem'), certificate.cert);
      writeFileSync(join(folder, 'key.pem'), certificate.key);
      writeFileSync(
        join(folder, 'nginx.conf'),
        configuration(folder, port, stack, answers[application](options), options),
      );
      const words = [...command, '-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'];
      const [program, ...rest] = cpu === undefined ? words : ['taskset', '-c', String(cpu), ...words];
      child = spawn(program, rest, { stdio: ['ignore', 'inherit', 'inherit'] });
      worker = await workerOf(child, port);
      return port;
    },
    pid: () => Number(worker),
    /** Microseconds of processor time of the worker so far, user and system. */
    cpu: () => Number(readFileSync(`/proc/${worker}/schedstat`, 'utf8').split(' ')[0]) / 1000,
    /** It has no garbage. */
    collect: () => undefined,
  };
  return {
    ask: async (question, input) => questions[question](input),
    stop: async () => {
      if (child?.exitCode === null) {
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGTERM');
        await ended;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What it does: the part of the configuration between the braces of a location. */
const answers = {
  byte: () => 'return 200 x;',
  small: () => `default_type text/plain; return 200 '${'small '.repeat(17).slice(0, 100)}';`,
  file: ({ path }) => `root ${dirname(path)}; try_files /${basename(path)} =404;`,
  idle: () => 'return 204;',
};

function configuration(folder, port, { offload = 'off', clear = false }, answer, { http2 = false } = {}) {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${folder}/t;`,
  );
  return `
    daemon off;
    error_log stderr error;
    ${process.getuid?.() === 0 ? 'user root;' : ''}
    pid ${folder}/pid;
    worker_processes 1;
    events { worker_connections 16384; }
    http {
      access_log off;
      ${temporary.join('\n      ')}
      sendfile on;
      tcp_nodelay on;
      keepalive_requests 1000000000;
      keepalive_timeout 1h;
      client_header_timeout 1h;
      server {
        listen 127.0.0.1:${port} ${clear ? '' : 'ssl '}${http2 ? 'http2 ' : ''}backlog=4096;
        ssl_certificate ${folder}/cert.pem;
        ssl_certificate_key ${folder}/key.pem;
        ssl_protocols TLSv1.3;
        ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
        ssl_conf_command Options ${offload === 'off' ? '-KTLS' : 'KTLS'};
        ssl_ecdh_curve X25519;
        ssl_session_timeout 1h;
        location / { ${answer} }
      }
    }
  `;
}

/** The process of its one worker, once it accepts connections. */
async function workerOf(child, port) {
  for (let attempts = 200; attempts > 0 && child.exitCode === null; attempts -= 1) {
    const [worker] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').split(' ');
    if (worker !== '' && (await accepts(port))) return worker;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('nginx did not start');
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
