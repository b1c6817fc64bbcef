/**
 * The running kernel, brought to refuse at a chosen point. The refusals are its own: a second owner of the record layer
 * (EEXIST), or receive keys of another cipher in the way of the send keys (EINVAL), which it never lets differ.
 */
import { randomBytes } from 'node:crypto';
import { type CryptoInfo, type Direction, type EnableOptions, type Kernel, type KtlsSocket, kernel } from 'ktls-bind';

/** `attach`: the record layer cannot be attached. A direction: it is attached, and that direction's keys are refused. */
export type RefusedStep = 'attach' | Direction;

export interface RefusingKernel extends Kernel {
  /** How often it has refused. */
  readonly refusals: () => number;
}

export function refusingKernel(step: RefusedStep): RefusingKernel {
  let refusals = 0;
  const counted = (call: () => void) => {
    try {
      call();
    } catch (error) {
      refusals += 1;
      throw error;
    }
  };
  const refusing = (socket: KtlsSocket) =>
    replaced(socket, {
      attach: () => {
        if (step === 'attach') occupy(socket.fd);
        counted(() => socket.attach());
      },
      enable: (direction: Direction, keys: CryptoInfo, enableOptions?: EnableOptions) => {
        if (direction === step && direction === 'send') socket.enable('receive', otherKeys(keys));
        // The kernel has the other direction's cipher already, and takes no other.
        const given = direction === step && direction === 'receive' ? otherKeys(keys) : keys;
        counted(() => socket.enable(direction, given, enableOptions));
      },
    });
  const { accept } = kernel;
  if (accept === undefined) throw new Error('the native part has no acceptor');
  return {
    ...kernel,
    open: (fd, options) => refusing(kernel.open(fd, options)),
    accept: (fd, options) => accept(fd, { ...options, accepted: (sockets) => options.accepted(sockets.map(refusing)) }),
    refusals: () => refusals,
  };
}

/** Another socket over the same connection attaches the record layer first, and leaves it without keys. */
function occupy(fd: number): void {
  const other = kernel.open(fd);
  other.attach();
  other.close();
}

function otherKeys({ aead }: CryptoInfo): CryptoInfo {
  const [other, length] = aead === 'aes-256-gcm' ? ['aes-128-gcm', 16] : ['aes-256-gcm', 32];
  return { aead: String(other), key: randomBytes(Number(length)), iv: randomBytes(12), sequenceNumber: 0n };
}

/** The socket with some methods replaced; it has private fields, so the others run on itself. */
function replaced(socket: KtlsSocket, methods: Partial<KtlsSocket>): KtlsSocket {
  return new Proxy(socket, {
    get: (target, name) => {
      if (Object.hasOwn(methods, name)) return Reflect.get(methods, name);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
