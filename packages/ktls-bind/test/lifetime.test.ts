// Who keeps a socket alive, and where an exception thrown in its callback goes. In processes of their own.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const run = (...given: string[]) => {
  const program = fileURLToPath(new URL('./lifetime.mjs', import.meta.url));
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, ['--expose-gc', program, ...given], {
    encoding: 'utf8',
  });
  expect({ stderr, signal }).toEqual({ stderr: '', signal: null });
  return { output: stdout.trim(), status };
};

describe('the lifetime of a socket', () => {
  it('a forgotten one is closed by the garbage collector', () => {
    expect(run('forget')).toEqual({ output: '0 descriptors left of 200', status: 0 });
  });

  it('a watched one is not garbage, though nobody else knows it', () => {
    expect(run('watch')).toEqual({ output: 'called', status: 0 });
  });

  it('one that another closes in the same turn is not called', () => {
    expect(run('closing')).toEqual({ output: 'called', status: 0 });
  });

  it('many that are readable at once do not hold the event loop up together', () => {
    expect(run('crowd')).toEqual({ output: 'all, in several turns', status: 0 });
  });

  it('one that is not watched for a while is called when it is again', () => {
    expect(run('paused')).toEqual({ output: 'idle\ncalled with 1', status: 0 });
  });

  it('an unreferenced one does not keep the process alive', () => {
    expect(run('unref')).toEqual({ output: '', status: 0 });
  });

  it('an exception in the callback is an uncaught exception, and the callback an own turn', () => {
    expect(run('throw')).toEqual({ output: 'microtask before the next callback\ncaught: thrown', status: 0 });
  });
});

describe('an acceptor', () => {
  it('leaves a connection in the queue when there are no descriptors, and says so', () => {
    const program = fileURLToPath(new URL('./lifetime.mjs', import.meta.url));
    const { stdout } = spawnSync('sh', ['-c', `ulimit -n 64; exec "$0" "$1" exhausted`, process.execPath, program], {
      encoding: 'utf8',
    });
    expect(stdout.trim().split('\n')).toEqual(['errno 24, 0 accepted', 'errno 24, 0 accepted', 'errno 0, 1 accepted']);
  });
});
