/** Runs the command `tls13` as a process of its own, as people do. The tests build first. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';

const program = resolve(import.meta.dirname, '../../bin/tls13.js');
const running = new Set<ChildProcess>();

export interface Finished {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Nothing outlives its test. */
export function stopAfterEach(): void {
  afterEach(() => {
    for (const child of running) child.kill('SIGKILL');
    running.clear();
  });
}

/** A folder for the tests of a file, made before them and removed after. */
export function temporaryFolder(): () => string {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tls13-cli-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return () => folder;
}

export class Command {
  readonly child;
  readonly #stdout: string[] = [];
  readonly #stderr: string[] = [];
  readonly finished: Promise<Finished>;

  constructor(list: readonly string[], folder: string) {
    // What is killed cannot tidy up: its temporary files go with the folder.
    const env = { ...process.env, TMPDIR: folder };
    this.child = spawn(process.execPath, [program, ...list], { cwd: folder, env, stdio: 'pipe' });
    const { child } = this;
    running.add(child);
    child.stdout.setEncoding('utf8').on('data', (chunk) => this.#stdout.push(chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk) => this.#stderr.push(chunk));
    // A command that ends early closes its stdin under us.
    child.stdin.on('error', () => undefined);
    this.finished = new Promise((done) => {
      child.once('close', (status, signal) => {
        running.delete(child);
        done({ status, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  get stdout(): string {
    return this.#stdout.join('');
  }

  get stderr(): string {
    return this.#stderr.join('');
  }

  /** Waits until something has been printed, or the command has ended without. */
  async printed(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this[stream]);
      if (match !== null) return match;
      if (!(await this.#more())) throw new Error(`no ${pattern} in ${stream}: ${this[stream]} / ${this.stderr}`);
    }
  }

  #more(): Promise<boolean> {
    return new Promise((done) => {
      const { stdout, stderr } = this.child;
      const finish = (more: boolean) => () => {
        stdout.off('data', onData);
        stderr.off('data', onData);
        this.child.off('close', onClose);
        done(more);
      };
      const onData = finish(true);
      const onClose = finish(false);
      stdout.on('data', onData);
      stderr.on('data', onData);
      if (this.child.exitCode !== null || this.child.signalCode !== null) onClose();
      else this.child.on('close', onClose);
    });
  }
}

export interface Served {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly offload: { readonly policy: string; readonly summary: string };
  readonly provider: string;
  readonly certificates: readonly { readonly file: string | null; readonly fingerprint256: string }[];
}

/** `tls13 serve --port 0 --json …`, and its first line. */
export async function startServer(folder: string, ...list: string[]): Promise<Command & { readonly served: Served }> {
  const command = new Command(['serve', '--port', '0', '--json', ...list], folder);
  const [line] = await command.printed('stdout', /^.*\n/);
  const served: Served = JSON.parse(line);
  return Object.assign(command, { served });
}

export async function run(list: readonly string[], folder: string, input = ''): Promise<Finished> {
  const command = new Command(list, folder);
  command.child.stdin.end(input);
  return command.finished;
}
