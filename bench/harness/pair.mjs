// A serving and a loading process, of which one is measured: programs of ours, or nginx as the server.
import { startNginx } from './nginx.mjs';
import { cpuOf, startProgram } from './program.mjs';

/**
 * Starts both. @param program in place of programs/serve.mjs. @param application what the server does: a name there, with
 * its `options`.
 * @returns `load(name, input)`, which answers what programs/load.mjs does, `cpu(side, work)`, `server`, and `close()`.
 */
export async function startPair({ program, server, client, application, options, context }) {
  const { program: serving, port } = await startServer({ program, server, application, options, context });
  const loading = startProgram('load', { cpu: context.pin ? 1 : undefined });
  await loading.ask('collect');
  const target = { stack: client, port, certificate: context.certificate, http: server.kind === 'nginx' };
  return {
    server: serving,
    load: (name, input = {}) => loading.ask(name, { ...target, ...input }),
    /** Microseconds that the process of that side spends on `work`. */
    cpu: (side, work) => cpuOf(side === 'server' ? serving : loading, work),
    close: async () => {
      await Promise.all([serving.stop(), loading.stop()]);
    },
  };
}

/** Starts the serving one alone. @returns { program, port } */
export async function startServer({ program: name = 'serve', server, application, options, context }) {
  const where = { cpu: context.pin ? 0 : undefined, idles: context.idles };
  const program = server.kind === 'nginx' ? startNginx(server.command, where) : startProgram(name, where);
  try {
    const { certificate } = context;
    const port = await program.ask('listen', { stack: server, application, options, certificate });
    // V8 collects more eagerly once it has collected everything for the first time, as in any process that lives.
    await program.ask('collect');
    return { program, port };
  } catch (error) {
    await program.stop();
    throw error;
  }
}
