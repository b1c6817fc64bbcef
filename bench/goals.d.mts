// For the tests, which use it from TypeScript.
export interface Goal {
  readonly what: string;
  readonly scenario: string;
  readonly subject: string;
  readonly peer?: string;
  readonly atMost: number;
  readonly stated?: string;
  readonly fromNode?: number;
}

export const goals: readonly Goal[];
