// For the tests, which use it from TypeScript.
export function contentsOfRecords(): (bytes: Uint8Array) => number;
