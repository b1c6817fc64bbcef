// The dependency rule (docs/architecture.md): which package and which folder may import what. It reads the sources.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const packages = resolve(dirname(fileURLToPath(import.meta.url)), '../packages');
const longestFile = 400;

type Found = {
  readonly specifier: string;
  readonly typeOnly: boolean;
  /** Of values; undefined: all. */
  readonly names?: string[];
};
type Import = Omit<Found, 'specifier'> & { readonly file: string; readonly target: string };

describe('tls13-core', () => {
  const imports = importsOf('tls13-core');
  const from = (folder: string) => imports.filter(({ file }) => file.startsWith(`${folder}/`));

  it('imports nothing of Node', () => {
    expect(imports.filter(({ target }) => isNode(target))).toEqual([]);
  });

  it('imports libraries only in the noble provider', () => {
    const noble = /^crypto\/(noble[\w-]*|ccm)\.ts$/;
    expect(imports.filter(({ file, target }) => !isOwn(target) && !noble.test(file))).toEqual([]);
  });

  it('keeps the noble provider out of what everybody loads', () => {
    const noble = /^crypto\/(noble|ccm)/;
    const entering = imports.filter(
      ({ file, target, typeOnly }) => noble.test(target) && !noble.test(file) && !typeOnly,
    );
    expect(entering).toEqual([]);
  });

  it('lets record and handshake meet in the engine only', () => {
    expect(from('record').filter(({ target }) => target.startsWith('handshake/'))).toEqual([]);
    expect(from('handshake').filter(({ target }) => target.startsWith('record/'))).toEqual([]);
  });

  it('has arrows that point one way', () => {
    const layers = ['x509', 'wire', 'crypto', 'keys', 'handshake', 'session', 'engine'];
    const above = (layer: string) => layers.slice(layers.indexOf(layer) + 1);
    const wrong = layers.flatMap((layer) =>
      imports.filter(
        ({ file, target, typeOnly }) =>
          !typeOnly && within(file, layer) && above(layer).some((other) => within(target, other)),
      ),
    );
    expect(wrong).toEqual([]);
    const recordsNeeds = from('record').filter(({ target }) => within(target, 'session') || within(target, 'engine'));
    expect(recordsNeeds).toEqual([]);
  });
});

describe('tls13-node-crypto', () => {
  const imports = importsOf('node-crypto');

  it('imports types, the error class and ML-DSA from the core, and neither the binding nor the server', () => {
    // ML-DSA is in no OpenSSL of the Node versions supported.
    const fromCore = imports.filter(
      ({ target, typeOnly }) => target.startsWith('tls13-core') && target !== 'tls13-core/ml-dsa' && !typeOnly,
    );
    expect(fromCore.filter(({ names }) => names?.every((name) => name === 'TlsError') !== true)).toEqual([]);
    expect(imports.filter(({ target }) => /^(ktls-bind|tls13-server)/.test(target))).toEqual([]);
  });
});

describe('ktls-bind', () => {
  it('imports no other package of this repository', () => {
    expect(importsOf('ktls-bind').filter(({ target }) => target.startsWith('tls13-'))).toEqual([]);
  });
});

describe('all packages', () => {
  it.each(['tls13-core', 'node-crypto', 'ktls-bind'])('%s opens no socket and serves nothing', (name) => {
    const servers = /^node:(net|http|https|http2|tls|dgram)$/;
    // Node keeps a plain function there, and its lists of roots, of which older versions lack some (so no named import).
    const harmless = ({ file, target, names }: Import) =>
      names?.every((imported) => imported === 'isIP') === true || (file === 'roots.ts' && target === 'node:tls');
    const loaded = importsOf(name).filter(({ target, typeOnly }) => servers.test(target) && !typeOnly);
    expect(loaded.filter((found) => !harmless(found))).toEqual([]);
  });

  it.each(readdirSync(packages))('%s imports what its package.json names', (name) => {
    const { dependencies = {} } = JSON.parse(readFileSync(join(packages, name, 'package.json'), 'utf8'));
    const named = (target: string) =>
      Object.hasOwn(
        dependencies,
        target
          .split('/')
          .slice(0, target.startsWith('@') ? 2 : 1)
          .join('/'),
      );
    expect(importsOf(name).filter(({ target }) => !isOwn(target) && !isNode(target) && !named(target))).toEqual([]);
  });

  it.each(readdirSync(packages))(`%s has no source of more than ${longestFile} lines`, (name) => {
    const folders = ['src', 'native'].map((folder) => join(packages, name, folder));
    const long = folders
      .flatMap(filesOf)
      .map((file) => ({ file: relative(packages, file), lines: readFileSync(file, 'utf8').split('\n').length - 1 }))
      .filter(({ lines }) => lines > longestFile);
    expect(long).toEqual([]);
  });

  it.each(readdirSync(packages))('%s has sources, each beginning with a comment that says what it is', (name) => {
    const files = filesOf(join(packages, name, 'src'));
    expect(files.length).toBeGreaterThan(0);
    const silent = files.filter((file) => !/^(#!.*\n)?\/[/*]/.test(readFileSync(file, 'utf8')));
    expect(silent.map((file) => relative(packages, file))).toEqual([]);
  });
});

/** Every import and re-export of a package's sources; a relative target is given as a path below src. */
function importsOf(name: string): Import[] {
  const source = join(packages, name, 'src');
  return filesOf(source).flatMap((path) => {
    const file = relative(source, path);
    const tree = ts.createSourceFile(file, readFileSync(path, 'utf8'), ts.ScriptTarget.ES2023, true);
    return importsIn(tree).map(({ specifier, ...found }) => {
      const local = relative(source, resolve(dirname(path), specifier)).replace(/\.js$/, '.ts');
      return { file, target: specifier.startsWith('.') ? local : specifier, ...found };
    });
  });
}

/** Static, dynamic (`import('x')`), type (`import('x').T`) and required ones (`require('x')` after createRequire). */
function importsIn(tree: ts.SourceFile): Found[] {
  const found: Found[] = [];
  const add = (node: ts.Node | undefined, typeOnly: boolean, names?: string[]) => {
    if (node === undefined || !ts.isStringLiteral(node)) return;
    found.push({ specifier: node.text, typeOnly, ...(names === undefined ? {} : { names }) });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, node.importClause?.isTypeOnly === true, valuesOf(node));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
    else if (ts.isCallExpression(node) && isLoader(node.expression)) add(node.arguments[0], false);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

function valuesOf({ importClause }: ts.ImportDeclaration): string[] | undefined {
  const bindings = importClause?.namedBindings;
  if (importClause?.name !== undefined || bindings === undefined || !ts.isNamedImports(bindings)) return undefined;
  return bindings.elements
    .filter(({ isTypeOnly }) => !isTypeOnly)
    .map(({ name, propertyName }) => (propertyName ?? name).text);
}

function isLoader(callee: ts.Expression): boolean {
  return callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require');
}

function filesOf(folder: string): string[] {
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

function within(file: string, layer: string): boolean {
  return file === `${layer}.ts` || file.startsWith(`${layer}/`);
}

/** A relative target was turned into a path that ends in .ts. */
function isOwn(target: string): boolean {
  return target.endsWith('.ts');
}

function isNode(target: string): boolean {
  return target.startsWith('node:');
}
