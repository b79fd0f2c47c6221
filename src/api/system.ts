// Damselfly's own system as it was shipped with the package: `import { shippedSystem } from 'damselfly/system'`. The images are
// made when the package is packed and lie beside this file; in a source tree there are none, and they are built instead.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const FOLDER = join(import.meta.dirname, '../system');
/** Names of the images in the package. */
export const KERNEL_FILE = 'host-kernel.elf';
export const ROOT_FILE = 'root.img.gz';

/** Bytes of RAM in which `make -j 8 buildworld` has room in the virtual kernel, which gets half of it. */
export const SYSTEM_MEMORY = 256 << 20;

export interface System {
  /** The host kernel, an ELF. Its command line: `native` stays on it, `exec=COMMAND` runs a command and halts. */
  readonly kernel: Uint8Array;
  /** The host's root file system, with the virtual kernel and its root in it; the caller's own copy. */
  readonly rootImage: Uint8Array;
}

/** The images of the package, or null in a source tree. */
export function shippedSystem(): System | null {
  if (!existsSync(join(FOLDER, ROOT_FILE))) return null;
  return { kernel: new Uint8Array(readFileSync(join(FOLDER, KERNEL_FILE))), rootImage: new Uint8Array(gunzipSync(readFileSync(join(FOLDER, ROOT_FILE)))) };
}
