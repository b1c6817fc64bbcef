/** Application-layer protocol negotiation (RFC 7301). */
import type { ServerConfig } from 'tls13-core';
import { expectSame, Failure } from '../failure.js';
import type { Feature } from '../feature.js';
import { type Flags, text } from '../flags.js';

export const alpn: Feature = {
  flags: {
    switches: ['decline-alpn', 'reject-alpn', 'select-empty-alpn'],
    values: ['advertise-alpn', 'select-alpn', 'expect-alpn', 'expect-advertised-alpn'],
  },
  client: (flags) => ({ alpnProtocols: protocolNames(text(flags, 'advertise-alpn') ?? '') }),
  server: (flags) => select(flags),
  check(info, flags) {
    const expected = text(flags, info.role === 'server' ? 'select-alpn' : 'expect-alpn') ?? '';
    expectSame('alpnProtocol', info.alpnProtocol ?? '', expected);
  },
};

function select(flags: Flags): Pick<ServerConfig, 'selectAlpnProtocol'> {
  const selected = flags.switches.has('select-empty-alpn') ? '' : text(flags, 'select-alpn');
  if (flags.switches.has('reject-alpn')) return { selectAlpnProtocol: () => undefined };
  if (selected === undefined || flags.switches.has('decline-alpn')) return {};
  const expected = text(flags, 'expect-advertised-alpn');
  return {
    selectAlpnProtocol(offered) {
      if (expected !== undefined && protocolNames(expected).join() !== offered.join()) {
        throw new Failure(`the client offers the protocols ${offered.join()}`);
      }
      return selected;
    },
  };
}

/** ProtocolNameList of RFC 7301 §3.1, without its own length. */
function protocolNames(list: string): readonly string[] {
  const names: string[] = [];
  for (let rest = list; rest.length > 0; ) {
    const length = rest.charCodeAt(0);
    names.push(rest.slice(1, 1 + length));
    rest = rest.slice(1 + length);
  }
  return names;
}
