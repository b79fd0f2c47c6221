// gtc as a function: command-line arguments and a host in, exit code out. 0: compiled; 1: the source has errors;
// 2: the command is wrong. Everything said to the user goes through the host.

import { Diags } from "./diag.ts";
import { buildModule, layoutListing } from "./frontend.ts";
import type { CompilerHost } from "./host.ts";
import type { IrModule } from "./ir.ts";
import { printIr } from "./irtext.ts";
import { emitProgram, LinkOptions } from "./link.ts";
import { Options, parseOptions, USAGE } from "./options.ts";
import { Program } from "./program.ts";

/** Run the compiler. */
export function compile(args: string[], host: CompilerHost): i32 {
  const diags = new Diags();
  const options = parseOptions(args, diags);
  if (diags.count > 0) {
    host.print(diags.render() + USAGE);
    return 2;
  }
  const parts = compileWith(options, host, diags);
  if (diags.count == 0 && parts != null) writeParts(host, options.output, parts, true, diags);
  if (diags.count == 0) return 0;
  host.print(diags.render());
  return 1;
}

/** The executable in parts; null after errors, or when only a dump or a check was asked for. */
function compileWith(options: Options, host: CompilerHost, diags: Diags): u8[][] | null {
  const p = new Program(host, diags);
  for (let i = 0; i < options.bindNames.length; i++) p.bind(options.bindNames[i]!, options.bindDirs[i]!);
  if (!p.load(options.entryFile)) return null;
  p.checkAll = options.checkAll;
  const m = buildModule(p, options.entry);
  if (diags.count > 0) return null;
  if (options.layoutFile != "") writeText(host, options.layoutFile, layoutListing(p), diags);
  if (options.firstFile != "") placeFirst(m, options.firstFile, host, diags);
  if (options.depsFile != "") writeText(host, options.depsFile, dependencies(p, options.output, options.firstFile), diags);
  if (options.dumpIr) host.print(printIr(m));
  return options.output == "" ? null : link(m, options, diags);
}

/** A makefile's rule that names what `output` is made of; sources that are gone do not stop make, but are a reason to compile. */
function dependencies(p: Program, output: string, firstFile: string): string {
  let inputs = firstFile != "" ? " \\\n  " + firstFile : "";
  for (const m of p.modules) inputs = inputs + " \\\n  " + m.file.path;
  return output + ":" + inputs + "\n" + inputs.substring(5) + ":\n";
}

/** Read which functions come first in the text: names, one a line; a line with # is a comment, and names that the program lacks do not matter. */
function placeFirst(m: IrModule, path: string, host: CompilerHost, diags: Diags): void {
  const text = host.readFile(path);
  if (text == null) {
    diags.error(null, 0, `can't read ${path}`);
    return;
  }
  let at = 0;
  while (at < text.length) {
    let end = at;
    while (end < text.length && text.charCodeAt(end) != 10) end++;
    if (end > at && text.charCodeAt(at) != 35) m.first.push(text.substring(at, end));
    at = end + 1;
  }
}

function writeText(host: CompilerHost, path: string, text: string, diags: Diags): void {
  const bytes: u8[] = [];
  for (let i = 0; i < text.length; i++) bytes.push((text.charCodeAt(i) & 255) as u8);
  const parts: u8[][] = [bytes];
  writeParts(host, path, parts, false, diags);
}

function writeParts(host: CompilerHost, path: string, parts: u8[][], executable: bool, diags: Diags): void {
  const reason = host.writeFile(path, parts, executable);
  if (reason != "") diags.error(null, 0, `can't write ${path}: ${reason}`);
}

function link(m: IrModule, options: Options, diags: Diags): u8[][] | null {
  const o = new LinkOptions();
  o.base = options.base;
  o.physOffset = options.physOffset;
  o.multiboot = options.multiboot;
  o.entry = options.entry;
  return emitProgram(m, o, diags);
}
