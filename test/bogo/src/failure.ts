/** What a case expected and did not find: the shim's own verdict, not the library's. */
export class Failure extends Error {}
