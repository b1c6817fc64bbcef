// For the tests, which use it from TypeScript.
export const majors: readonly number[];

/** Returns the path of that version's program, which it fetches first where it is not there. */
export function provideNode(major: number): Promise<string>;
