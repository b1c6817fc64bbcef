/** The doctor's findings for people, and for programs. */
import type { KtlsSupport, Verdict } from 'ktls-bind';
import type { ProviderReport } from 'tls13-node-crypto';
import type { Finding, Section } from './finding.js';

/** Sections of lines: a mark, what was looked at, what was found; below it the advice. */
export function textReport(sections: readonly Section[], summary: string): string {
  const findings = sections.flatMap((section) => section.findings);
  const width = Math.max(...findings.map(({ title }) => title.length)) + 2;
  const lines = sections.flatMap(({ title, findings: own }) => [
    title,
    ...own.flatMap((one) => linesOf(one, width)),
    '',
  ]);
  const count = (status: Finding['status']) => findings.filter((finding) => finding.status === status).length;
  return [...lines, `${count('ok')} ok, ${count('warn')} to look at, ${count('bad')} bad. ${summary}`].join('\n');
}

export interface JsonReport {
  readonly platform: string;
  readonly kernelRelease: string;
  readonly node: string;
  readonly offload: {
    readonly available: boolean;
    readonly summary: string;
    readonly ciphers: Readonly<Record<string, { readonly send: JsonVerdict; readonly receive: JsonVerdict }>>;
    readonly rekey: KtlsSupport['rekey'];
    readonly zeroCopy: boolean;
    readonly expectNoPad: boolean;
    readonly maxPayload: boolean;
  };
  readonly provider: ProviderReport;
  readonly findings: readonly (Finding & { readonly section: string })[];
}

export interface JsonVerdict {
  readonly supported: boolean;
  /** Where it is not: a code of KtlsError, the errno's name, and the sentence. */
  readonly code?: string;
  readonly errno?: string;
  readonly message?: string;
}

export function jsonReport(
  machine: { readonly platform: string; readonly kernelRelease: string },
  probe: KtlsSupport,
  provider: ProviderReport,
  sections: readonly Section[],
): JsonReport {
  const { available, summary, rekey, zeroCopy, expectNoPad, maxPayload } = probe;
  const ciphers = Object.fromEntries(
    Object.entries(probe.ciphers).map(([cipher, { send, receive }]) => [
      cipher,
      { send: jsonVerdict(send), receive: jsonVerdict(receive) },
    ]),
  );
  return {
    platform: machine.platform,
    kernelRelease: machine.kernelRelease,
    node: process.version,
    offload: { available, summary, ciphers, rekey, zeroCopy, expectNoPad, maxPayload },
    provider,
    findings: sections.flatMap(({ title, findings }) => findings.map((finding) => ({ section: title, ...finding }))),
  };
}

const marks = { ok: ' ok ', warn: 'look', bad: 'BAD ' } as const;

function linesOf({ status, title, found, advice }: Finding, width: number): readonly string[] {
  const indent = ' '.repeat(8 + width);
  return [`  ${marks[status]}  ${title.padEnd(width)}${found}`, `${indent}${advice}`];
}

function jsonVerdict(verdict: Verdict): JsonVerdict {
  if (verdict.supported) return { supported: true };
  const { code, errno, message } = verdict.error;
  return errno === undefined ? { supported: false, code, message } : { supported: false, code, errno, message };
}
