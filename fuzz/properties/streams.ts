/** However the byte stream is cut and joined on its way, the events are the same. */
import * as fc from 'fast-check';
import type { TlsEvent } from '../../packages/tls13-core/src/events.js';
import { createTicketKeys } from '../../packages/tls13-core/src/ticket-keys.js';
import { bytes, type End, pair, type Role } from '../../packages/tls13-core/test/engine/support/pair.js';
import { cut, cuts } from '../support/arbitraries.js';
import { property } from '../support/property.js';
import { anyProvider, type ProviderName, providers } from '../support/providers.js';

type Act =
  | { readonly act: 'send'; readonly size: number }
  | { readonly act: 'update'; readonly request: boolean }
  | { readonly act: 'close' };

const acts: fc.Arbitrary<readonly Act[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ act: fc.constant('send' as const), size: fc.nat({ max: 40_000 }) }) },
    { weight: 2, arbitrary: fc.record({ act: fc.constant('update' as const), request: fc.boolean() }) },
    { weight: 1, arbitrary: fc.constant({ act: 'close' as const }) },
  ),
  { minLength: 1, maxLength: 8 },
);

/** Which events came, data put together; what goes out depends on when, so it is left out. */
function summary(events: readonly TlsEvent[]): string {
  const lines: string[] = [];
  let data = 0;
  for (const event of events) {
    if (event.type === 'data') data += event.data.length;
    // Our answer to several requests is one or several, as they come together or apart.
    const depends = event.type === 'transmit' || (event.type === 'key_update' && event.direction === 'send');
    if (event.type === 'data' || depends) continue;
    if (data > 0) lines.push(`data ${data}`);
    data = 0;
    lines.push(event.type === 'failed' ? `failed ${event.error.alert} ${event.error.received}` : event.type);
  }
  return [...lines, ...(data > 0 ? [`data ${data}`] : [])].join('\n');
}

interface Conversation {
  readonly provider: ProviderName;
  readonly retry: boolean;
  readonly who: Role;
  readonly acts: readonly Act[];
  /** A byte of what the sender says afterwards that is changed on the way. */
  readonly spoil: number | undefined;
}

function converse(conversation: Conversation, wire: (data: Uint8Array) => readonly Uint8Array[]): readonly string[] {
  const { provider, retry, who, spoil } = conversation;
  const groups = retry ? (['secp256r1'] as const) : (['x25519'] as const);
  const { client, server } = pair(providers[provider], {
    client: { groups: ['x25519', 'secp256r1'] },
    server: { groups, tickets: { protector: createTicketKeys(providers[provider]) } },
  });
  const pass = (from: End, to: End): boolean => {
    const outgoing = from.outgoing.splice(0);
    for (const piece of wire(Buffer.concat(outgoing))) to.take(to.engine.receive(piece));
    return outgoing.length > 0;
  };
  const talk = () => {
    while (pass(client, server) || pass(server, client));
  };
  server.take(server.engine.start());
  client.take(client.engine.start());
  talk();
  const [sender, receiver] = who === 'client' ? [client, server] : [server, client];
  for (const act of conversation.acts) {
    if (act.act === 'close') {
      sender.take(sender.engine.close());
      break;
    }
    sender.take(act.act === 'send' ? sender.engine.send(bytes(act.size)) : sender.engine.updateKeys(act.request));
  }
  const said = Buffer.concat(sender.outgoing.splice(0));
  if (spoil !== undefined && said.length > 0) {
    // Not in a header: how much is read before the fault shows would depend on the cutting.
    const at = lastBytes(said)[spoil % lastBytes(said).length] ?? 0;
    said[at] = (said[at] ?? 0) ^ 0x10;
  }
  for (const piece of wire(said)) receiver.take(receiver.engine.receive(piece));
  talk();
  // Whether an answer was on its way before the fault shows depends on the cutting: then the sender's events differ.
  return [summary(receiver.events), ...(spoil === undefined ? [summary(sender.events)] : [])];
}

/** Where each record's last byte is. */
function lastBytes(wire: Uint8Array): number[] {
  const places: number[] = [];
  for (let at = 0; at < wire.length; ) {
    at += 5 + (((wire[at + 3] ?? 0) << 8) | (wire[at + 4] ?? 0));
    places.push(at - 1);
  }
  return places;
}

const conversations: fc.Arbitrary<Conversation> = fc.record({
  provider: anyProvider,
  retry: fc.boolean(),
  who: fc.constantFrom('client' as const, 'server' as const),
  acts,
  spoil: fc.option(fc.nat(), { nil: undefined, freq: 3 }),
});

export const streamProperties = [
  property(
    'any cutting of the stream gives the same events',
    50,
    fc.tuple(conversations, cuts),
    ([conversation, sizes]) => {
      const whole = converse(conversation, (data) => [data]);
      const pieces = converse(conversation, (data) => cut(data, sizes));
      if (String(whole) !== String(pieces))
        throw new Error(`whole:\n${whole.join('\n--\n')}\nin pieces:\n${pieces.join('\n--\n')}`);
    },
  ),
];
