// The command line of gtc:
//   gtc ENTRY.ts -o OUT [--base ADDR] [--phys-offset N] [--multiboot] [--bind name=DIR]... [--entry SYMBOL]
//       [--layout FILE] [--deps FILE] [--first FILE] [--dump ir] [--check]

import type { Diags } from "./diag.ts";

export class Options {
  entryFile: string = "";
  output: string = "";
  base: i32 = 0x08048000;
  physOffset: i32 = 0;
  multiboot: bool = false;
  entry: string = "_start";
  layoutFile: string = "";
  depsFile: string = "";
  firstFile: string = "";
  dumpIr: bool = false;
  checkAll: bool = false;
  bindNames: string[] = [];
  bindDirs: string[] = [];
}

export const USAGE: string =
  "usage: gtc ENTRY.ts -o OUT [--base ADDR] [--phys-offset N] [--multiboot] [--bind name=DIR]... [--entry SYMBOL]\n" +
  "           [--layout FILE] [--deps FILE] [--first FILE] [--dump ir] [--check]\n";

/** Read the arguments; complaints go to diags. */
export function parseOptions(args: string[], diags: Diags): Options {
  const o = new Options();
  for (let i = 0; i < args.length; i++) {
    const a = args[i]!;
    if (takesValue(a)) {
      if (i + 1 >= args.length) diags.error(null, 0, `${a} needs a value`);
      else setOption(o, a, args[++i]!, diags);
    } else if (a == "--multiboot") o.multiboot = true;
    else if (a == "--check") o.checkAll = true;
    else if (a.startsWith("-")) diags.error(null, 0, `unknown option ${a}`);
    else if (o.entryFile != "") diags.error(null, 0, `there can be only one entry file, not also ${a}`);
    else o.entryFile = a;
  }
  if (o.entryFile == "") diags.error(null, 0, "no entry file is given");
  else if (o.output == "" && !o.dumpIr && !o.checkAll) diags.error(null, 0, "no output is given: -o OUT");
  return o;
}

function takesValue(a: string): bool {
  return a == "-o" || a == "--base" || a == "--phys-offset" || a == "--bind" || a == "--entry" || a == "--layout" || a == "--deps" || a == "--first" || a == "--dump";
}

function setOption(o: Options, name: string, value: string, diags: Diags): void {
  switch (name) {
    case "-o": o.output = value; break;
    case "--base": o.base = parseNumber(value, diags); break;
    case "--phys-offset": o.physOffset = parseNumber(value, diags); break;
    case "--entry": o.entry = value; break;
    case "--layout": o.layoutFile = value; break;
    case "--deps": o.depsFile = value; break;
    case "--first": o.firstFile = value; break;
    case "--dump":
      if (value == "ir") o.dumpIr = true;
      else diags.error(null, 0, `--dump ${value} is not known; --dump ir is`);
      break;
    default: {
      const equals = value.indexOf("=");
      if (equals < 1) diags.error(null, 0, "--bind takes name=DIR");
      o.bindNames.push(value.substring(0, equals));
      o.bindDirs.push(value.substring(equals + 1, value.length));
    }
  }
}

/** Decimal, or hexadecimal with 0x: a 32-bit pattern. */
function parseNumber(text: string, diags: Diags): i32 {
  const hex = text.startsWith("0x") || text.startsWith("0X");
  let value = 0;
  let ok = text.length > (hex ? 2 : 0);
  for (let i = hex ? 2 : 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    let digit = 99;
    if (c >= 48 && c <= 57) digit = c - 48;
    else if (c >= 97 && c <= 102) digit = c - 87;
    else if (c >= 65 && c <= 70) digit = c - 55;
    if (digit >= (hex ? 16 : 10)) ok = false;
    value = (Math.imul(value, hex ? 16 : 10) + digit) | 0;
  }
  if (!ok) diags.error(null, 0, `${text} is not a number`);
  return value;
}
