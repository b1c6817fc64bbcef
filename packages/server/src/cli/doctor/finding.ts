/** What `tls13 doctor` says of one thing: what was found, whether it is well, and one line of advice. */

export interface Finding {
  /** Stable, for programs: `kernel.ulp`. */
  readonly check: string;
  readonly title: string;
  /** `bad`: something does not work or is exposed; `warn`: it could be better; `ok` needs nothing. */
  readonly status: 'ok' | 'warn' | 'bad';
  readonly found: string;
  readonly advice: string;
}

export interface Section {
  readonly title: string;
  readonly findings: readonly Finding[];
}

/** One line: whatever came from outside loses its line breaks and control characters. */
export function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
}
