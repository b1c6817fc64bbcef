// A scenario as a picture: one bar a row, as long as its ratio to the peer's, and a line where the goal is. It brings
// its own background and follows the reader's choice of light or dark.
import { figure, isMeasured, isOurs, peerOf, ratioOf, summaryOf, times } from './figures.mjs';

/**
 * @param panels one a set of results: { label, unit, rows, marks: [{ at, text }] }, where `at` is a ratio to the first row
 * @returns an SVG document
 */
export function barChart(title, panels) {
  const drawn = panels.map((panel) => ({ ...panel, bars: barsOf(panel) })).filter(({ bars }) => bars.length > 0);
  const longest = Math.max(...drawn.flatMap(({ bars, marks }) => [...bars, ...marks].map(({ at }) => at)), 1);
  const scale = (right - left) / Math.min(longest * 1.05, widest);
  let y = 40;
  const parts = [];
  for (const panel of drawn) {
    parts.push(`<text class="label" x="${margin}" y="${y}">${asContent(panel.label)}</text>`);
    parts.push(...drawPanel(panel, y + 8, scale));
    y += 8 + panel.bars.length * rowHeight + 34;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" width="${width}" height="${y}" role="img">`,
    `<title>${asContent(title)}</title>`,
    `<style>${style}</style>`,
    `<rect class="page" width="${width}" height="${y}" rx="6"/>`,
    `<text class="title" x="${margin}" y="22">${asContent(title)}</text>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

const [width, margin, left, right, rowHeight] = [760, 14, 270, 600, 22];
/** What is dearer than this many times the peer is drawn as long as this, and says by how much. */
const widest = 2.5;

const style = [
  'text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-weight:600;font-size:14px}.label{font-weight:600}',
  '.page{fill:#fff;stroke:#d0d7de}.ours{fill:#0969da}.peer{fill:#8c959f}.spread{stroke:#24292f;opacity:.6}',
  '.one{stroke:#57606a}.goal{stroke:#bc4c00;stroke-dasharray:4 3;stroke-width:2}.note{fill:#bc4c00}.figure{fill:#57606a}',
  '.cut{fill:#fff;font-weight:600}',
  '@media(prefers-color-scheme:dark){text{fill:#e6edf3}.page{fill:#0d1117;stroke:#30363d}.ours{fill:#4493f8}',
  '.peer{fill:#6e7681}.spread{stroke:#e6edf3}.one{stroke:#9198a1}.goal{stroke:#f0883e}.note{fill:#f0883e}',
  '.figure{fill:#9198a1}}',
].join('');

function barsOf({ rows, unit }) {
  return rows.filter(isMeasured).map((row) => {
    const { median, least, most } = ratioOf(row, peerOf(row, rows));
    return {
      kind: isOurs(row) ? 'ours' : 'peer',
      name: row.name,
      at: median,
      least,
      most,
      text: `${figure(summaryOf(row).median)} ${unit}`,
    };
  });
}

function drawPanel({ bars, marks }, top, scale) {
  const bottom = top + bars.length * rowHeight;
  const x = (ratio) => round(left + Math.min(ratio * scale, right - left));
  const line = (kind, at) => `<line class="${kind}" x1="${at}" x2="${at}" y1="${top}" y2="${bottom + 4}"/>`;
  const drawn = bars.flatMap((bar, index) => {
    const y = top + index * rowHeight;
    const middle = y + rowHeight / 2;
    return [
      `<text x="${left - 8}" y="${middle + 4}" text-anchor="end">${asContent(bar.name)}</text>`,
      `<rect class="${bar.kind}" x="${left}" y="${y + 4}" width="${round(x(bar.at) - left)}" height="${rowHeight - 8}" rx="2"/>`,
      ...(bar.at * scale > right - left ? [`<text class="cut" x="${right - 16}" y="${middle + 4}">»</text>`] : []),
      `<line class="spread" x1="${x(bar.least)}" x2="${x(bar.most)}" y1="${middle}" y2="${middle}"/>`,
      `<text class="figure" x="${right + 8}" y="${middle + 4}">${times(bar.at)}, ${asContent(bar.text)}</text>`,
    ];
  });
  // Two of them side by side would be written over each other: what is left goes to the left.
  const goals = marks
    .toSorted((one, other) => one.at - other.at)
    .flatMap(({ at, text }, index) => [
      line('goal', x(at)),
      `<text class="note" x="${x(at) + (index === 0 ? -3 : 3)}" y="${bottom + 16}" text-anchor="${index === 0 ? 'end' : 'start'}">${asContent(text)}</text>`,
    ]);
  return [...drawn, line('one', x(1)), ...goals];
}

function round(number) {
  return Math.round(number * 10) / 10;
}

function asContent(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
