/** The shim: what BoringSSL's runner starts for each case, over the backend that the entry point passes in. */
import { type Session, TlsError } from 'tls13-core';
import { runConnection } from './connection.js';
import { Failure } from './failure.js';
import { features } from './features/index.js';
import { number, parseCommandLine, Unimplemented, unimplementedStatus } from './flags.js';
import { type Backend, createWorld } from './world.js';

/** The exit status. */
export async function main(words: readonly string[], backend: Backend): Promise<number> {
  try {
    const { initial, resume, retry } = parseCommandLine(
      words,
      features.map(({ flags }) => flags),
    );
    if (initial.switches.has('is-handshaker-supported')) {
      console.log('No');
      return 0;
    }
    const world = createWorld(backend);
    let session: Session | undefined;
    const count = number(initial, 'resume-count') ?? 0;
    for (let index = 0; index <= count; index += 1) {
      const flags = index === 0 ? initial : resume;
      session = await runConnection({ flags, retry, world, resuming: index > 0, session });
      world.advance(number(flags, 'resumption-delay') ?? 0);
    }
    return 0;
  } catch (error) {
    console.error(description(error));
    return error instanceof Unimplemented ? unimplementedStatus : 1;
  }
}

/** The line that config.json's ErrorMap knows errors by: whose alert, which, and the library's sentence. */
function description(error: unknown): string {
  if (error instanceof Unimplemented) return `not implemented: ${error.message}`;
  if (error instanceof TlsError) {
    if (error.cause instanceof Failure || error.cause instanceof Unimplemented) return description(error.cause);
    return `${error.received ? 'received' : 'sent'} ${error.alert} [${error.code}]: ${error.message}`;
  }
  return error instanceof Failure ? `unexpected: ${error.message}` : `broken: ${String(error)}`;
}
