/** What a property is to its two runners: the bounded test, and `npm run fuzz` without bounds. */
import * as fc from 'fast-check';

export interface FuzzProperty {
  /** Also names the files of its failing seeds. */
  readonly name: string;
  /** Runs in `npm test`. */
  readonly runs: number;
  check(bounds: Bounds): Promise<Outcome>;
}

export interface Bounds {
  readonly seed: number;
  readonly runs: number;
  /** Of one failing case, to run that and no other. */
  readonly path?: string;
  /** Milliseconds after which no new case is begun. */
  readonly time?: number;
}

export interface Outcome {
  readonly runs: number;
  readonly failure: { readonly seed: number; readonly path: string; readonly report: string } | undefined;
}

/** `holds` throws, or its promise rejects, for a case that contradicts the property. */
export function property<Case>(
  name: string,
  runs: number,
  cases: fc.Arbitrary<Case>,
  holds: (given: Case) => void | Promise<void>,
): FuzzProperty {
  return {
    name,
    runs,
    async check(bounds) {
      const checked = fc.asyncProperty(cases, async (given) => {
        await holds(given);
      });
      const details = await fc.check(checked, {
        seed: bounds.seed,
        numRuns: bounds.runs,
        ...(bounds.path === undefined ? {} : { path: bounds.path, endOnFailure: true }),
        ...(bounds.time === undefined ? {} : { interruptAfterTimeLimit: bounds.time }),
      });
      const { failed, seed, counterexamplePath } = details;
      if (!failed || counterexamplePath === null) return { runs: details.numRuns, failure: undefined };
      const reason =
        details.errorInstance instanceof Error ? details.errorInstance.stack : String(details.errorInstance);
      const report = `${fc.defaultReportMessage(details) ?? 'no report'}\n${reason}`;
      return { runs: details.numRuns, failure: { seed, path: counterexamplePath, report } };
    },
  };
}
