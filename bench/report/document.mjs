// docs/benchmarks.md and its charts, as text, from what is kept of every runtime.
import { goals, statedGoal } from '../goals.mjs';
import { barChart } from './chart.mjs';
import { figure, isMeasured, isOurs, peerOf, ratioOf, summaryOf, times, verdictOn } from './figures.mjs';
import { absences, cells, heading } from './table.mjs';

/**
 * @param {readonly import('./results.mjs').ResultSet[]} sets
 * @param notes { scenarios, document }: Markdown by name
 * @param order the names of the scenarios as they are to come; others come after them
 * @returns { markdown, charts }: the charts by file name
 */
export function documentOf(sets, notes, order) {
  const names = [...new Set([...order, ...sets.flatMap((set) => Object.keys(set.scenarios))])];
  const sections = names.flatMap((name) => {
    const results = sets.flatMap((set) => (set.scenarios[name] === undefined ? [] : [[set, set.scenarios[name]]]));
    return results.length === 0 ? [] : [{ name, results }];
  });
  const markdown = [
    '# Benchmarks',
    '',
    notes.document.introduction,
    '',
    '## Goals',
    '',
    ...goalTable(sets),
    '',
    '## Where we are dearer',
    '',
    ...dearer(sections),
    '',
    '## Method',
    '',
    notes.document.method,
    '',
    '### Machines',
    '',
    ...sets.map((set) => `- **${set.label}**: ${set.runtime}; ${set.machine}.`),
    '',
    '## Limits',
    '',
    notes.document.limits,
    '',
    '## Figures',
    '',
    ...sections.flatMap((section) => sectionOf(section, notes.scenarios[section.name])),
  ];
  const charts = Object.fromEntries(sections.map((section) => [`${section.name}.svg`, chartOf(section)]));
  return { markdown: `${markdown.join('\n').trimEnd()}\n`, charts };
}

function goalTable(sets) {
  const lines = goals.map((goal) => {
    const marks = sets.map((set) => inTable(goal, verdictOn(goal, set)));
    const where = sets.some((set) => set.scenarios[goal.scenario] !== undefined);
    return row([where ? `[${goal.what}](#${goal.scenario})` : goal.what, statedGoal(goal), ...marks]);
  });
  return [
    row(['', 'goal', ...sets.map(({ label }) => label)]),
    row(['---', '---', ...sets.map(() => '---')]),
    ...lines,
  ];
}

function inTable({ peer }, verdict) {
  if (verdict === undefined) return '';
  const { missing, met, value } = verdict;
  if (missing !== undefined) return 'not measured';
  const show = (number) => (peer === undefined ? figure(number) : number.toFixed(2));
  const text = `${show(value.median)}${peer === undefined ? '' : ' ×'} (${show(value.least)} – ${show(value.most)})`;
  return met === undefined ? text : `${met ? '✓ met' : '**✗ not met**'}: ${text}`;
}

/** Every row of ours whose median is above its peer's. */
function dearer(sections) {
  const lines = sections.flatMap(({ name, results }) => {
    const found = new Map();
    for (const [set, { rows }] of results) {
      for (const one of rows.filter((other) => isMeasured(other) && isOurs(other))) {
        const peer = peerOf(one, rows);
        const { median } = ratioOf(one, peer);
        if (isOurs(peer) || median <= 1) continue;
        found.set(one.name, [...(found.get(one.name) ?? []), `${times(median)} ${peer.name} on ${set.label}`]);
      }
    }
    const [[, { title }]] = results;
    return [...found].map(([subject, where]) => `- [${title}](#${name}), ${subject}: ${where.join(', ')}`);
  });
  return lines.length > 0 ? lines : ['Nowhere, of what is measured here.'];
}

function sectionOf({ name, results }, note) {
  const [[, { title, measures }]] = results;
  return [
    `<a id="${name}"></a>`,
    '',
    `### ${title} (\`${name}\`)`,
    '',
    `${measures[0].toUpperCase()}${measures.slice(1)}.`,
    '',
    `![${title}](benchmarks/${name}.svg)`,
    '',
    ...results.flatMap(([set, result]) => tableOf(set, result)),
    ...(note === undefined ? [] : [note, '']),
  ];
}

function tableOf(set, result) {
  const columns = heading(result);
  const held = goals
    .filter(({ scenario }) => scenario === result.name)
    .map((goal) => `- Goal ${statedGoal(goal)}: ${inSentence(goal, verdictOn(goal, set))}`);
  const absent = absences(result).map((line) => `- ${line}`);
  return [
    `**${set.label}**. ${result.how} Measured ${result.when.slice(0, 10)}${result.commit === undefined ? '' : ` at ${result.commit}`}.`,
    '',
    row(columns),
    row(columns.map((_, index) => (index === 0 ? '---' : '---:'))),
    ...result.rows.filter(isMeasured).map((one) => row(cells(one, result))),
    '',
    ...(held.length + absent.length === 0 ? [] : [...held, ...absent, '']),
  ];
}

function inSentence(goal, verdict) {
  if (verdict.missing !== undefined) return `not measured: ${verdict.missing}.`;
  return `${verdict.met === undefined ? 'no goal with this Node' : inTable(goal, verdict)}.`;
}

function chartOf({ results }) {
  const [[, { title }]] = results;
  return barChart(
    title,
    results.map(([set, { name, unit, rows }]) => ({ label: set.label, unit, rows, marks: marksOf(name, rows, set) })),
  );
}

/** Where the goals are among ratios to the first row. */
function marksOf(name, rows, set) {
  const first = rows.find(isMeasured);
  if (first === undefined) return [];
  return goals
    .filter(({ scenario }) => scenario === name)
    .flatMap((goal) => {
      const verdict = verdictOn(goal, set);
      if (verdict.met === undefined) return [];
      const peer = goal.peer === undefined ? undefined : rows.find((one) => one.name === goal.peer);
      const at = peer === undefined ? goal.atMost / summaryOf(first).median : goal.atMost * ratioOf(peer, first).median;
      return [{ at, text: statedGoal(goal) }];
    });
}

function row(list) {
  return `| ${list.join(' | ')} |`;
}
