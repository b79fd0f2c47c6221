// `npm run gtc`: the compiler on Node. Sources are bytes, read as latin1; paths are relative to the working directory.

import { readFileSync, writeFileSync } from "node:fs";
import { compile } from "../compiler/compile.ts";
import { CompilerHost } from "../compiler/host.ts";
import { endWithReader } from "./closed-pipe.ts";

/** The compiler's view of Node: the file system and stdout. */
export class NodeHost extends CompilerHost {
  override readFile(path: string): string | null {
    try {
      return readFileSync(path, "latin1");
    } catch {
      return null;
    }
  }

  override writeFile(path: string, parts: u8[][], executable: bool): string {
    try {
      writeFileSync(path, Buffer.concat(parts.map((part) => Uint8Array.from(part))), { mode: executable ? 0o755 : 0o644 });
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  }

  override print(text: string): void {
    process.stdout.write(Buffer.from(text, "latin1"));
  }
}

if (process.argv[1]?.endsWith("gtc.ts")) {
  endWithReader();
  process.exitCode = compile(process.argv.slice(2), new NodeHost());
}
