// Compiles source text given as a string, with the run-time library from the repository, for the compiler's tests.

import { readFileSync } from "node:fs";
import { CompilerHost } from "../../src/compiler/host.ts";
import { Diags } from "../../src/compiler/diag.ts";
import { buildModule } from "../../src/compiler/frontend.ts";
import type { IrModule } from "../../src/compiler/ir.ts";
import { Program } from "../../src/compiler/program.ts";
import { Interpreter } from "./interpret.ts";

/** Files in memory in front of the repository's own. */
export class TestHost extends CompilerHost {
  readonly written = new Map<string, Uint8Array>();
  printed = "";

  constructor(private readonly files: Record<string, string>) {
    super();
  }

  override readFile(path: string): string | null {
    const text = this.files[path];
    if (text !== undefined) return text;
    try {
      return readFileSync(path, "latin1");
    } catch {
      return null;
    }
  }

  override writeFile(path: string, parts: u8[][]): string {
    this.written.set(path, Uint8Array.from(parts.flat()));
    return "";
  }

  override print(text: string): void {
    this.printed += text;
  }
}

/** The IR of a program whose entry is the exported function `main`, and the diagnostics. */
export function front(source: string, more: Record<string, string> = {}, rt = ""): { module: IrModule; errors: string } {
  const diags = new Diags();
  const p = new Program(new TestHost({ "main.ts": source, ...more }), diags);
  if (rt !== "") p.bind("rt", rt);
  const module = p.load("main.ts") ? buildModule(p, "main") : null;
  return { module: module!, errors: diags.render() };
}

/** Run `main` and return its integer, bigint or double. */
export function run(source: string, more: Record<string, string> = {}): number | bigint {
  const { module, errors } = front(source, more);
  if (errors !== "") throw new Error(errors);
  return new Interpreter(module).call("main");
}

/** Run `main` and return its string. */
export function runText(source: string): string {
  const { module, errors } = front(source);
  if (errors !== "") throw new Error(errors);
  const machine = new Interpreter(module);
  return machine.text(machine.call("main") as number);
}
