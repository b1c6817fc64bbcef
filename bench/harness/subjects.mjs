// Who is compared: node's own stack first, then nginx and ours, in user space and in the kernel where this machine's can.
import { kernel } from 'ktls-bind';

export const nodeTls = { name: 'node:tls', stack: { kind: 'node' } };
export const nodeHttps = { name: 'node:https', stack: { kind: 'node' } };
export const plainTcp = { name: 'node:net, no TLS', stack: { kind: 'tcp' } };
export const plainHttp = { name: 'node:http, no TLS', stack: { kind: 'tcp' } };
export const ours = { name: 'ours', stack: { kind: 'ours', provider: 'native', offload: 'off' } };
export const oursNode = {
  name: 'ours, node:crypto instead of the addon',
  stack: { kind: 'ours', provider: 'node', offload: 'off' },
};
export const oursNoble = {
  name: 'ours, portable JavaScript (noble)',
  stack: { kind: 'ours', provider: 'noble', offload: 'off' },
};

/** nginx, of which the same is asked, in user space or, with 'send', with the kernel's records. */
export async function nginx(context, offload = 'off') {
  const name = offload === 'off' ? 'nginx' : 'nginx, kernel seals';
  const { command, about, unavailable } = await context.other('nginx');
  const reason = unavailable ?? (offload === 'off' ? undefined : kernelRefusal('send'));
  if (reason !== undefined) return { name, unavailable: reason };
  return { name, about: [about], stack: { kind: 'nginx', command, offload } };
}

/** @param direction what the measured side does most: then the kernel is given that, and sending in any case. */
export function oursInKernel(direction) {
  const subject =
    direction === 'send'
      ? { name: 'ours, kernel seals', stack: { kind: 'ours', provider: 'native', offload: 'send' } }
      : { name: 'ours, kernel opens', stack: { kind: 'ours', provider: 'native', offload: 'both' } };
  const unavailable = kernelRefusal(direction);
  return unavailable === undefined ? subject : { ...subject, unavailable };
}

/**
 * Does `work`, which makes at least `connections` connections of this stack, and throws unless the kernel counted as
 * many of them in the direction that was handed over. Nothing to check for a stack in user space.
 */
export async function witnessed(stack, connections, work) {
  const counters = { send: ['TlsTxSw', 'TlsTxDevice'], both: ['TlsRxSw', 'TlsRxDevice'] }[stack.offload ?? 'off'];
  if (counters === undefined) return work();
  const count = () => {
    const statistics = kernel.readTlsStat() ?? {};
    return counters.reduce((sum, name) => sum + (statistics[name] ?? 0), 0);
  };
  const before = count();
  const result = await work();
  const counted = count() - before;
  if (counted >= connections) return result;
  const names = counters.join(' + ');
  throw new Error(
    `/proc/net/tls_stat: ${names} rose by ${counted} over ${connections} connections that the kernel was to have`,
  );
}

/** Why the kernel cannot have this direction, or undefined. */
function kernelRefusal(direction) {
  const support = kernel.probe();
  if (!support.available) return support.error?.message ?? support.summary;
  const verdict = support.ciphers['aes-128-gcm'][direction];
  return verdict.supported ? undefined : verdict.error.message;
}
