// Results for people: on a terminal, or as Markdown for docs/benchmarks.md.
import { cpus, totalmem } from 'node:os';

/** The machine, on one line. */
export function machine() {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `Node ${process.version}, OpenSSL ${process.versions.openssl}, ${process.platform} ${process.arch}, ${cpus().length} × ${cpu?.model.trim() ?? 'unknown processor'}, ${memory} GiB`;
}

export function asText(result) {
  const lines = [`${result.name}: ${result.measures}`];
  const table = [heading(result), ...result.rows.map((row) => cells(row, result))];
  const widths = heading(result).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  for (const row of table) {
    const padded = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
    );
    lines.push(`  ${padded.join('  ')}`.trimEnd());
  }
  lines.push(...absences(result).map((line) => `  ${line}`));
  return `${lines.join('\n')}\n`;
}

export function asMarkdown(result) {
  const row = (list) => `| ${list.join(' | ')} |`;
  const columns = heading(result);
  return [
    `### ${result.title} (\`${result.name}\`)`,
    '',
    `${result.measures[0].toUpperCase()}${result.measures.slice(1)}.`,
    '',
    row(columns),
    row(columns.map((_, index) => (index === 0 ? '---' : '---:'))),
    ...result.rows.filter(isMeasured).map((one) => row(cells(one, result))),
    '',
    ...absences(result).map((line) => `- ${line}`),
    ...(absences(result).length > 0 ? [''] : []),
  ].join('\n');
}

function heading({ unit, alsoAs }) {
  const also = alsoAs === undefined ? [] : [alsoAs.unit];
  return ['', `median ${unit}`, 'least – most', ...also, 'ratio', 'least – most'];
}

function cells(row, { alsoAs }) {
  if (!isMeasured(row)) return [row.name, 'not here'];
  const also = alsoAs === undefined ? [] : [figure(alsoAs.of(row.median))];
  const [low, high] = row.ratios;
  const range = (a, b) => `${a} – ${b}`;
  return [
    row.name,
    figure(row.median),
    range(figure(row.least), figure(row.most)),
    ...also,
    `${row.ratio.toFixed(2)} ×`,
    range(low.toFixed(2), high.toFixed(2)),
  ];
}

function absences({ rows }) {
  return rows.filter((row) => !isMeasured(row)).map(({ name, unavailable }) => `${name}: not here: ${unavailable}`);
}

function isMeasured({ unavailable }) {
  return unavailable === undefined;
}

/** Three digits that count. */
function figure(number) {
  const digits = number >= 100 ? 0 : number >= 10 ? 1 : 2;
  return number.toFixed(digits);
}
