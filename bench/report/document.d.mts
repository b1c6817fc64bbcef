// For the tests, which use it from TypeScript.
export interface Result {
  readonly name: string;
  readonly title: string;
  readonly measures: string;
  readonly unit: string;
  readonly alsoAs?: { readonly unit: string; readonly over: number };
  readonly how: string;
  readonly when: string;
  readonly commit?: string;
  readonly rows: readonly (
    | { readonly name: string; readonly rounds: readonly number[]; readonly comparedWith?: string }
    | { readonly name: string; readonly unavailable: string }
  )[];
}

export interface ResultSet {
  readonly label: string;
  readonly nodeMajor?: number;
  readonly runtime: string;
  readonly machine: string;
  readonly scenarios: Readonly<Record<string, Result>>;
}

export function documentOf(
  sets: readonly ResultSet[],
  notes: { readonly scenarios: Readonly<Record<string, string>>; readonly document: Readonly<Record<string, string>> },
  order: readonly string[],
): { readonly markdown: string; readonly charts: Readonly<Record<string, string>> };
