/** Another version of Node, whose node:tls has groups that this one's may lack. */

import type { SecureContextOptions, TlsOptions } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { provideNode } from '../../../scripts/lib/nodes.mjs';
import { Program } from './program.js';

export interface NodeConnection {
  readonly cipher: string;
  readonly resumed: boolean;
  readonly exported: string;
}

export async function nodeServer(major: number, options: TlsOptions): Promise<{ port: number; program: Program }> {
  const program = await start(major, 'server', options);
  const [, port] = await program.until(/\{"port":(\d+)\}\n/);
  return { port: Number(port), program };
}

export function nodeClient(
  major: number,
  options: SecureContextOptions & { port: number; host: string; servername: string },
): Promise<Program> {
  return start(major, 'client', options);
}

/** What the program says of its (one) connection. */
export async function connectionOf(program: Program): Promise<NodeConnection> {
  const [line] = await program.until(/\{"connected":"TLSv1\.3".*\}\n/);
  const said: unknown = JSON.parse(line);
  if (!isConnection(said)) throw new Error(`not a connection: ${line}`);
  return said;
}

async function start(major: number, role: string, options: object): Promise<Program> {
  const node = await provideNode(major);
  return new Program(node, [script, role, JSON.stringify(options)]);
}

const script = fileURLToPath(new URL('./node-peer.mjs', import.meta.url));

function isConnection(value: unknown): value is NodeConnection {
  return typeof value === 'object' && value !== null && 'cipher' in value && 'exported' in value;
}
