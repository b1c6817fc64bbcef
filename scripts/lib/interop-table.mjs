// The table of `npm run interop`, drawn from what the tests of test/interop/matrix kept: as a document and as text.

const marks = { passed: '✓', failed: '✗', fault: '!', lacking: '–', open: '○' };
const roles = {
  client: 'Clients that connect to our server',
  server: 'Servers that our client connects to',
};

/** @param results what the test files kept, one entry a peer; findings of scanners have `findings` */
export function interopDocument(results) {
  const peers = peersOf(results);
  return `${[
    '# Interoperability',
    '',
    'Drawn by `npm run interop -- --all`, which runs every cell: a connection between this library and a program that',
    'others wrote, looked at from both sides – what the program says of it, and what our `ConnectionInfo` says – and',
    'application data in both directions. `npm test` runs the rows of the programs that Debian 12 has.',
    '',
    `${marks.passed} works · ${marks.lacking} the program cannot do it or cannot be told to (why is below) · ${marks.fault} a fault of the program’s ·`,
    `${marks.open} not with the Node that drew this (zstd: 22.15) · ${marks.failed} fails`,
    '',
    '| Program | Version | Works | As client | As server |',
    '|---|---|--:|:-:|:-:|',
    ...peers.map(
      (peer) =>
        `| ${peer.name} | ${peer.version} | ${count(peer, 'passed')} | ${has(peer, 'client')} | ${has(peer, 'server')} |`,
    ),
    '',
    ...Object.keys(roles).flatMap((role) => [`## ${roles[role]}`, '', ...table(peers, role), '']),
    '## What is not here',
    '',
    'No program here can be told to: import PSKs (RFC 9258), ask for a number of tickets (RFC 9149), send oid_filters (§4.3.5) or',
    'signature_algorithms_cert other than what it signs with, or show the early exporter (§7.5).',
    '',
    '## Why not',
    '',
    ...peers.flatMap((peer) => reasons(peer)),
    ...results.filter(({ findings }) => findings !== undefined).flatMap((scan) => scanned(scan)),
  ]
    .join('\n')
    .trimEnd()}\n`;
}

/** For a terminal. */
export function interopText(results) {
  const peers = peersOf(results);
  const lines = [];
  for (const role of Object.keys(roles)) {
    const columns = peers.filter((peer) => cellsOf(peer, role).length > 0);
    if (columns.length === 0) continue;
    lines.push(
      '',
      `${roles[role]}:`,
      ...columns.map(({ name, version }, index) => `  ${letter(index)} ${name} ${version}`),
      '',
    );
    lines.push(`${' '.repeat(56)}${columns.map((_, index) => letter(index)).join(' ')}`);
    for (const feature of featuresOf(columns, role)) {
      const row = columns.map((peer) => markOf(peer, role, feature.id)).join(' ');
      lines.push(`${feature.title.slice(0, 55).padEnd(56)}${row}`);
    }
  }
  lines.push('', `${peers.map((peer) => count(peer, 'passed')).reduce((sum, one) => sum + one, 0)} cells work`);
  for (const peer of peers) {
    for (const { role, feature, outcome } of peer.outcomes) {
      if (outcome.verdict === 'failed')
        lines.push(`failed: ${peer.name} ${peer.version} as ${role}, ${feature}: ${firstLine(outcome.reason)}`);
    }
  }
  return lines.join('\n');
}

function peersOf(results) {
  return results
    .filter(({ outcomes }) => outcomes !== undefined)
    .sort((one, other) =>
      `${one.name} ${one.version}`.localeCompare(`${other.name} ${other.version}`, 'en', { numeric: true }),
    );
}

function table(peers, role) {
  const columns = peers.filter((peer) => cellsOf(peer, role).length > 0);
  const lines = [
    `| | ${columns.map(({ name, version }) => `${name} ${short(version)}`).join(' | ')} |`,
    `|---|${columns.map(() => ':-:').join('|')}|`,
  ];
  let group = '';
  for (const feature of featuresOf(columns, role)) {
    if (feature.group !== group) lines.push(`| **${feature.group}** |${' |'.repeat(columns.length)}`);
    group = feature.group;
    lines.push(`| ${feature.title} | ${columns.map((peer) => markOf(peer, role, feature.id)).join(' | ')} |`);
  }
  return lines;
}

/** One line a reason, with all that it holds for. */
function reasons(peer) {
  const titles = new Map(peer.features.map(({ id, title }) => [id, title]));
  const byReason = new Map();
  for (const { role, feature, outcome } of peer.outcomes) {
    if (outcome.verdict === 'passed' || outcome.verdict === 'open') continue;
    const known = byReason.get(outcome.reason) ?? new Map();
    known.set(feature, [...(known.get(feature) ?? []), role]);
    byReason.set(outcome.reason, known);
  }
  if (byReason.size === 0) return [];
  const lines = [...byReason].map(([reason, found]) => {
    const cells = [...found].map(([feature, which]) => {
      const title = titles.get(feature) ?? feature;
      return which.length === 2 || !has(peer, 'client') || !has(peer, 'server') ? title : `${title} (as ${which[0]})`;
    });
    return `- ${cells.length > 12 ? `${cells.length} cells` : cells.join('; ')}: ${firstLine(reason)}`;
  });
  return [`### ${peer.name} ${peer.version}`, '', ...lines, ''];
}

function scanned({ name, version, summary, findings }) {
  return [
    `## ${name} ${version}`,
    '',
    summary,
    '',
    ...(findings.length === 0 ? [] : ['| Finding | Severity | It says | Why it stands |', '|---|---|---|---|']),
    ...findings.map(
      ({ id, severity, finding, argument }) => `| ${id} | ${severity} | ${cell(finding)} | ${cell(argument)} |`,
    ),
    '',
  ];
}

function featuresOf(peers, role) {
  const [first] = peers;
  const run = new Set(peers.flatMap((peer) => cellsOf(peer, role).map(({ feature }) => feature)));
  return (first?.features ?? []).filter(({ id }) => run.has(id));
}

function cellsOf(peer, role) {
  return peer.outcomes.filter((outcome) => outcome.role === role);
}

function markOf(peer, role, id) {
  const found = cellsOf(peer, role).find(({ feature }) => feature === id);
  return found === undefined ? ' ' : marks[found.outcome.verdict];
}

function has(peer, role) {
  return cellsOf(peer, role).length > 0 ? marks.passed : '';
}

function count(peer, verdict) {
  return peer.outcomes.filter(({ outcome }) => outcome.verdict === verdict).length;
}

function letter(index) {
  return String.fromCharCode(65 + index);
}

function short(version) {
  return version.split(/[ (]/)[0].split('.').slice(0, 2).join('.');
}

function firstLine(text) {
  return (text ?? '').split('\n')[0].slice(0, 300);
}

function cell(text) {
  return (text ?? '').replaceAll('|', '\\|').replaceAll('\n', ' ');
}
