// A scenario's result on a terminal.
import { statedGoal } from '../goals.mjs';
import { times, verdictOn } from './figures.mjs';
import { absences, cells, heading } from './table.mjs';

export function asText(result, goals, set) {
  const table = [heading(result), ...result.rows.map((row) => cells(row, result))];
  const widths = heading(result).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join('  '),
  );
  const held = goals
    .filter(({ scenario }) => scenario === result.name)
    .map((goal) => `goal ${statedGoal(goal)}: ${inWords(goal, verdictOn(goal, set))}`);
  const all = [...lines, result.how, ...absences(result), ...held].map((line) => `  ${line}`.trimEnd());
  return `${result.name}: ${result.measures}\n${all.join('\n')}\n`;
}

function inWords({ peer }, { missing, met, value }) {
  if (missing !== undefined) return missing;
  const figure = peer === undefined ? value.median.toFixed(2) : times(value.median);
  return met === undefined ? `not a goal here (${figure})` : `${met ? 'met' : 'not met'} (${figure})`;
}
