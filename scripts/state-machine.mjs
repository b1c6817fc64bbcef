/**
 * Draws docs/state-machine.md from the transition tables. `--check` fails when the committed file is not what the
 * tables say. Needs a build.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { clientTransitions } from '../packages/tls13-core/dist/handshake/client/index.js';
import { serverTransitions } from '../packages/tls13-core/dist/handshake/server/index.js';

const file = new URL('../docs/state-machine.md', import.meta.url);

const text = `# The state machines

Drawn from the transition tables by \`npm run state-machine\`; a test holds this file against them. States are named as in
RFC 9846 §A; where the machine tells more states apart than §A does, the names say so. A message without an arrow out of
a state is answered with the alert unexpected_message there.

## Client (§A.1)

${diagram(clientTransitions, 'WAIT_SH', 'send ClientHello')}

${table(clientTransitions)}

## Server (§A.2)

${diagram(serverTransitions, 'START')}

${table(serverTransitions)}
`;

if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== text) {
    console.error('docs/state-machine.md is not what the transition tables say: run `npm run state-machine`');
    process.exit(1);
  }
} else {
  writeFileSync(file, text);
}

function diagram(transitions, first, label) {
  const arrows = rows(transitions).flatMap(({ from, message, to }) =>
    to.map((target) => `  ${from} --> ${target}: ${message}`),
  );
  const start = `  [*] --> ${first}${label === undefined ? '' : `: ${label}`}`;
  return ['```mermaid', 'stateDiagram-v2', start, ...arrows, '```'].join('\n');
}

function table(transitions) {
  const lines = rows(transitions).map(({ from, message, to }) => `| ${from} | ${message} | ${to.join(', ')} |`);
  return ['| state | message | next |', '|---|---|---|', ...lines].join('\n');
}

function rows(transitions) {
  return Object.entries(transitions).flatMap(([from, messages]) =>
    Object.entries(messages).map(([message, { to }]) => ({ from, message, to })),
  );
}
