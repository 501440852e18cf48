/** Finds what a source file imports, by reading its text: static and dynamic imports, re-exports, and types. */

export interface Import {
  /** As written; undefined when it is no plain text, so that nobody can tell what is loaded. */
  readonly specifier: string | undefined;
  /** Nothing is left of it at run time. */
  readonly typesOnly: boolean;
  readonly line: number;
}

/** `import x from 'y'`, `export * from 'y'`, also over several lines; statements begin a line. */
const FROM =
  /^[ \t]*(import|export)\b(\s+type\b(?!\s+from\b|\s*,))?([^;'"`()=]*?)\bfrom\s*(['"])([^'"\n]+)\4/gm;
/** `import 'y'`. */
const BARE = /^[ \t]*import\s*(['"])([^'"\n]+)\1/gm;
/** `import(...)`, also as a type, and what else loads a module by name. */
const CALL =
  /((?<!\.)\bimport|(?<!\.)\brequire|\bcreateRequire|\bgetBuiltinModule|\bimport\.meta\.resolve)\s*\(\s*(?:(['"`])([^'"`\n$]+)\2)?/g;

export function readImports(source: string): Import[] {
  const code = blankComments(source);
  const lineOf = (index: number) => code.slice(0, index).split('\n').length;
  const result: Import[] = [];
  for (const match of code.matchAll(FROM)) {
    const [, , type, names = '', , specifier] = match;
    result.push({ specifier, typesOnly: type !== undefined || onlyTypes(names), line: lineOf(match.index) });
  }
  for (const match of code.matchAll(BARE)) {
    result.push({ specifier: match[2], typesOnly: false, line: lineOf(match.index) });
  }
  for (const match of code.matchAll(CALL)) {
    result.push({ specifier: match[3], typesOnly: false, line: lineOf(match.index) });
  }
  return result;
}

/** `{ type A, type B }`. */
function onlyTypes(names: string): boolean {
  const inside = /^\s*\{([^}]*)\}\s*$/.exec(names)?.[1];
  if (inside === undefined) return false;
  const deps = inside
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return deps.length > 0 && deps.every((part) => part.startsWith('type '));
}

/** How many statements of the file begin as an import does: a second way to count, to catch a blind reader. */
export function countImportStatements(source: string): number {
  return [...blankComments(source).matchAll(/^import\b(?!\.|\s*\()/gm)].length;
}

/** Comments become blanks of the same length; texts stay. A `//` inside a text or a pattern is no comment. */
export function blankComments(source: string): string {
  const token =
    /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*|(?<=[(,=:[!&|?{};+\n]\s*|return\s+)\/(?![*/])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/g;
  return source.replace(token, (text) =>
    text.startsWith('//') || text.startsWith('/*') ? text.replace(/[^\n]/g, ' ') : text,
  );
}
