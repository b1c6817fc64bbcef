// The example page: asks the server what this visitor's connection is, and downloads with progress.

const statusAddress = '/.well-known/tls13/status';
const downloadAddress = '/.well-known/tls13/download';
const interval = 2_000;

const element = (id) => document.getElementById(id);
const show = (id, text) => {
  const target = element(id);
  // Untouched text is not read out again.
  if (target.textContent !== text) target.textContent = text;
};

let asking = false;

async function ask() {
  if (asking) return;
  asking = true;
  try {
    const response = await fetch(statusAddress, { cache: 'no-store' });
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    showStatus(await response.json());
    show('asked', `asked at ${new Date().toLocaleTimeString()}`);
  } catch (error) {
    element('verdict').className = 'failed';
    show('verdict', `The server does not say: ${error.message}. Is it tls13 serve?`);
  } finally {
    asking = false;
  }
}

function showStatus({ connection, server }) {
  element('verdict').className = '';
  show('verdict', verdict(connection));
  showDirection('send', connection.send);
  showDirection('receive', connection.receive);
  show('protocol', connection.protocol.replace('TLSv', 'TLS '));
  show('cipher-suite', connection.cipherSuite);
  show('group', connection.group);
  show('signature', connection.signatureScheme ?? 'none: the session key authenticates');
  show('alpn', connection.alpnProtocol ?? 'none');
  show('server-name', connection.serverName ?? 'none');
  show('resumed', connection.resumed ? 'yes, from an earlier session' : 'no, a full handshake');
  show('bytes', `${bytes(connection.bytesSent)} / ${bytes(connection.bytesReceived)}`);
  showServer(server);
}

function verdict({ protocol, send, receive }) {
  const name = protocol.replace('TLSv', 'TLS ');
  if (send.where === 'kernel' && receive.where === 'kernel') {
    return `This page came over ${name}, encrypted and decrypted by the server’s kernel.`;
  }
  if (send.where === 'kernel') return `This page came over ${name}, encrypted by the server’s kernel.`;
  return `This page came over ${name}, encrypted in user space, by the server’s own process.`;
}

const explanations = {
  send: {
    kernel: 'The kernel seals every record on its way out, so files need not pass through the server’s process.',
    user: 'The server’s process seals every record itself before the kernel sees it.',
  },
  receive: {
    kernel: 'The kernel opens every record, and the server’s process reads plain data.',
    user: 'The server’s process opens every record itself.',
  },
};

function showDirection(direction, { where, device, detail }) {
  const badge = element(direction);
  badge.dataset.where = where;
  const means = device === 'device' ? 'kernel, on the network device' : 'kernel';
  show(direction, where === 'kernel' ? means : 'user space');
  show(`${direction}-explanation`, explanations[direction][where]);
  show(`${direction}-reason`, where === 'kernel' || detail === undefined ? '' : `Why: ${detail}.`);
}

function showServer({ offload, provider, counters }) {
  show('server-offload', `${offload.policy} (${offload.summary})`);
  show('server-provider', provider);
  show('server-connections', String(counters.connections.open));
  const { completed, resumed, failed } = counters.handshakes;
  show('server-handshakes', `${completed}, ${resumed} of them resumed; ${failed} failed`);
  show('server-send', places(counters.offload.send));
  show('server-receive', places(counters.offload.receive));
}

function places(counts) {
  const words = Object.entries(counts).map(([place, count]) => `${place} ${count}`);
  return words.length === 0 ? 'none yet' : words.join(', ');
}

let download;

async function startDownload() {
  const size = Number(element('size').value);
  download = new AbortController();
  setDownloading(true);
  const begin = performance.now();
  let received = 0;
  let shownAt = 0;
  try {
    const response = await fetch(`${downloadAddress}?size=${size}`, { cache: 'no-store', signal: download.signal });
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      received += value.length;
      const now = performance.now();
      if (now - shownAt > 100) {
        shownAt = now;
        element('progress').value = received / size;
        show('download-progress', `${bytes(received)} of ${bytes(size)}, ${speed(received, now - begin)}`);
      }
    }
    if (received !== size) throw new Error(`it ended after ${received} of ${size} bytes`);
    element('progress').value = 1;
    show('download-progress', `${bytes(received)} of ${bytes(size)}`);
    show('download-result', `Done: ${bytes(received)}, ${speed(received, performance.now() - begin)}.`);
  } catch (error) {
    const cancelled = download.signal.aborted;
    show('download-result', cancelled ? `Cancelled after ${bytes(received)}.` : `Failed: ${error.message}.`);
  } finally {
    setDownloading(false);
    ask();
  }
}

function setDownloading(running) {
  element('download').disabled = running;
  element('size').disabled = running;
  element('cancel').disabled = !running;
  if (running) {
    element('progress').value = 0;
    show('download-progress', 'Asking for it …');
    show('download-result', '');
  }
}

function bytes(count) {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let value = count;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

function speed(count, milliseconds) {
  const seconds = Math.max(milliseconds, 1) / 1000;
  return `${bytes(Math.round(count / seconds))}/s in ${seconds.toFixed(1)} s`;
}

element('refresh').addEventListener('click', ask);
element('download').addEventListener('click', startDownload);
element('cancel').addEventListener('click', () => download?.abort());
setInterval(() => {
  if (element('live').checked && document.visibilityState === 'visible') ask();
}, interval);
ask();
