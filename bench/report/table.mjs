// The cells of a scenario's table, for a terminal and for the document.
import { figure, isMeasured, peerOf, ratioOf, summaryOf, times } from './figures.mjs';

export function heading({ unit, alsoAs }) {
  const also = alsoAs === undefined ? [] : [alsoAs.unit];
  return ['', `median ${unit}`, 'least – most', ...also, 'ratio', 'least – most'];
}

export function cells(row, { rows, alsoAs }) {
  if (!isMeasured(row)) return [row.name, 'not here'];
  const { median, least, most } = summaryOf(row);
  const ratio = ratioOf(row, peerOf(row, rows));
  const also = alsoAs === undefined ? [] : [figure(alsoAs.over / median)];
  return [
    row.name,
    figure(median),
    `${figure(least)} – ${figure(most)}`,
    ...also,
    times(ratio.median),
    `${ratio.least.toFixed(2)} – ${ratio.most.toFixed(2)}`,
  ];
}

export function absences({ rows }) {
  return rows.filter((row) => !isMeasured(row)).map(({ name, unavailable }) => `${name}: not measured: ${unavailable}`);
}
