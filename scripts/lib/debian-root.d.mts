// For the tests, which use it from TypeScript.
/** The folder of a root that is there; undefined without it. */
export function rootFolder(name: string): string | undefined;

/** The command before a command that is to run in a root. */
export function inRoot(folder: string): readonly string[];
