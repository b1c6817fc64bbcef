/** What may come of anything a peer does: an engine goes on, or it ends with an alert that fits. */
import type { AlertName } from '../../packages/tls13-core/src/alert.js';
import type { TlsEngine } from '../../packages/tls13-core/src/engine/types.js';

/** Alerts by which an engine may answer a peer that breaks the rules. */
const answers: ReadonlySet<AlertName> = new Set<AlertName>([
  'unexpected_message',
  'bad_record_mac',
  'record_overflow',
  'handshake_failure',
  'bad_certificate',
  'unsupported_certificate',
  'certificate_required',
  'illegal_parameter',
  'decode_error',
  'decrypt_error',
  'protocol_version',
  'missing_extension',
  'unsupported_extension',
  'unrecognized_name',
  'no_application_protocol',
  'bad_certificate_status_response',
  'ech_required',
]);

/** Throws unless the engine is alive, or failed by an alert of the peer's, or by one of its own that answers a peer. */
export function expectClean(engine: TlsEngine): void {
  const { error } = engine;
  if ((engine.state === 'failed') !== (error !== undefined)) throw new Error('the state and the error disagree');
  if (error === undefined || error.received || answers.has(error.alert)) return;
  throw new Error(`${engine.role}: ${error.alert}, which answers no peer: ${error.message}`, { cause: error });
}

export function expectNotConnected(engine: TlsEngine): void {
  if (engine.info !== undefined) throw new Error(`the ${engine.role} is connected`);
  expectClean(engine);
}
