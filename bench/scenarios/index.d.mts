// For the tests, which use it from TypeScript.
export interface Subject {
  readonly name: string;
}

export interface Context {
  /** A program of others. */
  other(name: string): Promise<{ readonly unavailable: string }>;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly measures: string;
  readonly unit: string;
  subjects(context: Context): readonly Subject[] | Promise<readonly Subject[]>;
}

export const scenarios: readonly Scenario[];

export const kernelScenarios: readonly Scenario[];
