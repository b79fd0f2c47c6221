// Damselfly's own system as it was shipped with the package: `import { shippedSystem } from 'damselfly/system'`. The images are
// made when the package is packed and lie beside this file; in a source tree there are none, and they are built instead.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

const FOLDER = join(import.meta.dirname, '../system');
const KERNEL_FILE = 'host-kernel.elf';
const ROOT_FILE = 'root.img.gz';
const DEBUG_FILE = 'debug.json.gz';

/** Bytes of RAM in which `make -j 8 buildworld` has room in the virtual kernel, which gets half of it. */
export const SYSTEM_MEMORY = 256 << 20;

/** What debuggers and `Machine.space` need to know of the system. */
export interface SystemDebug {
  /** The virtual kernel, an ELF with symbols. */
  readonly virtualKernel: Uint8Array;
  /** The programs, ELFs with symbols, by name. */
  readonly programs: ReadonlyMap<string, Uint8Array>;
  /** Where the fields of the kernels' records lie, as gtc --layout lists them. */
  readonly layouts: { readonly host: string; readonly virtual: string };
}

export interface System extends SystemDebug {
  /** The host kernel, an ELF. Its command line: `native` stays on it, `exec=COMMAND` runs a command and halts. */
  readonly kernel: Uint8Array;
  /** The host's root file system, with the virtual kernel and its root in it; the caller's own copy. */
  readonly rootImage: Uint8Array;
}

/** Those files as they lie in the package: a JSON text of layouts and of base64 images. */
interface PackedDebug {
  readonly layouts: SystemDebug['layouts'];
  readonly virtualKernel: string;
  readonly programs: Readonly<Record<string, string>>;
}

/** The images of the package, or null in a source tree. */
export function shippedSystem(): System | null {
  if (!existsSync(join(FOLDER, ROOT_FILE))) return null;
  const unpacked = (name: string) => gunzipSync(readFileSync(join(FOLDER, name)));
  const debug = JSON.parse(unpacked(DEBUG_FILE).toString()) as PackedDebug;
  const image = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));
  return {
    kernel: new Uint8Array(readFileSync(join(FOLDER, KERNEL_FILE))),
    rootImage: new Uint8Array(unpacked(ROOT_FILE)),
    virtualKernel: image(debug.virtualKernel),
    programs: new Map(Object.entries(debug.programs).map(([name, text]) => [name, image(text)])),
    layouts: debug.layouts,
  };
}

/** The files of a package that hold a system, by name. */
export function packSystem(system: System): Map<string, Uint8Array> {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  const debug: PackedDebug = {
    layouts: system.layouts,
    virtualKernel: text(system.virtualKernel),
    programs: Object.fromEntries([...system.programs].map(([name, bytes]) => [name, text(bytes)])),
  };
  return new Map([[KERNEL_FILE, system.kernel], [ROOT_FILE, gzipSync(system.rootImage)], [DEBUG_FILE, gzipSync(JSON.stringify(debug))]]);
}
