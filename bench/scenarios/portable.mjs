// The portable core's records, beside nothing but the calls of noble that seal and open them.
import { startProgram } from '../harness/program.mjs';

const kinds = [
  { cipher: 'AES-128-GCM', suite: 'TLS_AES_128_GCM_SHA256', recordContent: 16_384, size: '16 KiB' },
  { cipher: 'AES-128-GCM', suite: 'TLS_AES_128_GCM_SHA256', recordContent: 1024, size: '1 KiB' },
  { cipher: 'ChaCha20-Poly1305', suite: 'TLS_CHACHA20_POLY1305_SHA256', recordContent: 16_384, size: '16 KiB' },
  { cipher: 'ChaCha20-Poly1305', suite: 'TLS_CHACHA20_POLY1305_SHA256', recordContent: 1024, size: '1 KiB' },
];

export const portableSeal = {
  name: 'portable-seal',
  title: 'Sealing records in portable JavaScript',
  measures:
    'processor time per MiB of content sealed into records of that much content, from pieces of 64 KiB: an engine over noble, and beside it nothing ' +
    'but the calls of noble on the same records, whose parts were put together beforehand',
  unit: 'µs/MiB',
  alsoAs: { unit: 'MiB/s', over: 1_000_000 },
  subjects,
  open: (subject, context) => open('seal', subject, context),
};

export const portableOpen = {
  name: 'portable-open',
  title: 'Opening records in portable JavaScript',
  measures:
    'processor time per MiB of content opened out of records of that much content, given in pieces of 64 KiB of content: an engine over noble, and beside it ' +
    'nothing but the calls of noble on the same records, cut apart beforehand',
  unit: 'µs/MiB',
  alsoAs: { unit: 'MiB/s', over: 1_000_000 },
  subjects,
  open: (subject, context) => open('open', subject, context),
};

/** Each kind of record by noble alone, then by the portable core, which is held against it. */
function subjects() {
  return kinds.flatMap((kind) => {
    const shared = { kind, program: undefined, figures: undefined };
    const label = `${kind.cipher}, ${kind.size}`;
    const alone = { name: `noble alone, ${label}`, who: 'alone', shared };
    return [alone, { name: `portable core, ${label}`, who: 'core', shared, comparedWith: alone.name }];
  });
}

/** The two of a kind run in one process and in turns; whoever comes first in a round asks for the figures of both. */
async function open(direction, { who, shared }, context) {
  const mebibytes = context.amount({ quick: 3, full: 12 });
  if (shared.program === undefined) {
    shared.program = startProgram('engine', { cpu: context.pin ? 0 : undefined });
    await shared.program.ask('preparePortable', { ...shared.kind, certificate: context.certificate });
  }
  return {
    each: `${mebibytes} MiB`,
    round: async () => {
      const known = shared.figures;
      shared.figures = known === undefined ? await shared.program.ask('portable', { direction, mebibytes }) : undefined;
      return (known ?? shared.figures)[who];
    },
    close: shared.program.stop,
  };
}
