// What the documents say of the code is drawn from the code; here it is held against it.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { offloadReasons } from 'tls13-server';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');

it('docs/state-machine.md is drawn from the transition tables as they are', () => {
  const script = resolve(import.meta.dirname, '../scripts/state-machine.mjs');
  expect(() => execFileSync(process.execPath, [script, '--check'], { stdio: 'pipe' })).not.toThrow();
});

it('docs/ktls.md has every reason for user space, and no other', () => {
  const text = readFileSync(resolve(import.meta.dirname, '../docs/ktls.md'), 'utf8');
  const [, reasons = ''] = /^## Reasons\n([^#]*)/m.exec(text) ?? [];
  const cells = reasons.split('\n').flatMap((line) => (/^\| (`.*?) \|/.exec(line)?.[1] ?? '').split(', '));
  const codes = cells.filter((cell) => cell !== '').map((cell) => cell.replaceAll('`', ''));
  expect(codes.sort()).toEqual(Object.keys(offloadReasons).sort());
});

describe('options', () => {
  it.each([
    'CommonOptions',
    'HttpsServerOptions',
    'ConnectOptions',
    'EarlyDataOptions',
    'EchServerOptions',
    'EchClientOptions',
  ])('docs/features.md names every one of %s', (name) => {
    const text = readFileSync(resolve(root, 'docs/features.md'), 'utf8');
    const code = [...text.matchAll(/^```\w+\n[\s\S]*?^```|`[^`\n]+`/gm)].join('\n');
    expect(membersOf(name).filter((option) => !new RegExp(`\\b${option}\\b`).test(code))).toEqual([]);
  });

  it('the examples of the documents use none that does not exist', () => {
    const unknown = documents.flatMap((file) =>
      callsIn(readFileSync(resolve(root, file), 'utf8')).flatMap(({ callee, given }) => {
        const known = membersOf(taking[callee] ?? '');
        return given.filter((option) => !known.includes(option)).map((option) => `${file}: ${callee}({ ${option} })`);
      }),
    );
    expect(unknown).toEqual([]);
  });
});

const documents = [
  'README.md',
  'docs/features.md',
  'docs/ktls.md',
  'packages/server/README.md',
  'packages/tls13-core/README.md',
];

/** What each function takes. */
const taking: Readonly<Record<string, string>> = {
  createServer: 'HttpsServerOptions',
  createHttpsServer: 'HttpsServerOptions',
  connect: 'ConnectOptions',
  createServerEngine: 'ServerConfig',
  createClientEngine: 'ClientConfig',
};

/** Of all interfaces of the server and of the core's configuration, by name. */
const interfaces = new Map(
  ['packages/server/src', 'packages/tls13-core/src/config'].flatMap((folder) =>
    readdirSync(resolve(root, folder))
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => parsed(readFileSync(resolve(root, folder, file), 'utf8')).statements)
      .filter(ts.isInterfaceDeclaration)
      .map((declaration) => [declaration.name.text, declaration] as const),
  ),
);

/** Inherited ones too. */
function membersOf(name: string): readonly string[] {
  const declaration = interfaces.get(name);
  if (declaration === undefined) throw new Error(`there is no interface ${name}`);
  const own = declaration.members.map((member) =>
    member.name && ts.isIdentifier(member.name) ? member.name.text : '',
  );
  const bases = declaration.heritageClauses?.flatMap(({ types }) => types.map(({ expression }) => expression)) ?? [];
  return [...own, ...bases.flatMap((base) => (ts.isIdentifier(base) ? membersOf(base.text) : []))];
}

/** The calls of the functions above in the JavaScript of a document, and the names in the objects that they are given. */
function callsIn(markdown: string): readonly { readonly callee: string; readonly given: readonly string[] }[] {
  const calls: { callee: string; given: readonly string[] }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && Object.hasOwn(taking, node.expression.text)) {
      const [first] = node.arguments;
      const properties = first !== undefined && ts.isObjectLiteralExpression(first) ? first.properties : [];
      const names = properties.map(({ name }) => (name !== undefined && ts.isIdentifier(name) ? name.text : undefined));
      calls.push({ callee: node.expression.text, given: names.filter((name) => name !== undefined) });
    }
    ts.forEachChild(node, visit);
  };
  for (const [, code = ''] of markdown.matchAll(/^```(?:js|ts)\n([\s\S]*?)^```/gm)) visit(parsed(code));
  return calls;
}

function parsed(code: string): ts.SourceFile {
  return ts.createSourceFile('code.ts', code, ts.ScriptTarget.Latest);
}
