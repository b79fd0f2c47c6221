// Runs the compiler on Node over a SourceTree, with its output in memory, and notes which files it read.

import { compile } from '../compiler/compile.ts';
import { CompilerHost } from '../compiler/host.ts';
import type { SourceTree } from './inputs.ts';

/** A program does not compile; the message is the compiler's diagnostics, ready to print. */
export class BuildError extends Error {}

export interface Compiled {
  readonly bytes: Uint8Array;
  /** The layout listing, when it was asked for. */
  readonly layout: string;
  /** Paths of all files that were read, there or not. */
  readonly inputs: readonly string[];
}

const LAYOUT = 'layout';

class TreeHost extends CompilerHost {
  readonly inputs: string[] = [];
  output: Uint8Array | null = null;
  layout = '';
  messages = '';

  constructor(private readonly tree: SourceTree) {
    super();
  }

  override readFile(path: string): string | null {
    this.inputs.push(path);
    const bytes = this.tree.read(path);
    return bytes === null ? null : Buffer.from(bytes).toString('latin1');
  }

  override writeFile(path: string, parts: u8[][], _executable: bool): string {
    const bytes = Buffer.concat(parts.map((part) => Uint8Array.from(part)));
    if (path === LAYOUT) this.layout = bytes.toString('latin1');
    else this.output = new Uint8Array(bytes);
    return '';
  }

  override print(text: string): void {
    this.messages += text;
  }
}

/** Compile the program that gtc's arguments `args` describe (without -o and --layout). Throws BuildError. */
export function compileProgram(tree: SourceTree, args: readonly string[], layout = false): Compiled {
  const host = new TreeHost(tree);
  const status = compile([...args, ...(layout ? ['--layout', LAYOUT] : []), '-o', 'output'], host);
  if (status !== 0 || host.output === null) throw new BuildError(host.messages);
  return { bytes: host.output, layout: host.layout, inputs: host.inputs };
}
