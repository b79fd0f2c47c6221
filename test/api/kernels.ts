// Kernels of a few instructions, from assembly text.

import { assemble, AsmEnv } from '../../src/asm/assemble.ts';
import { multibootKernel } from '../pc/images.ts';

/** A Multiboot kernel of at most 52 bytes of code. */
export function assembled(text: string): Uint8Array {
  const { bytes, errors } = assemble(text, new AsmEnv());
  if (errors.length > 0 || bytes.length > 52) throw new Error(errors.length > 0 ? errors[0]!.message : `${bytes.length} bytes of code`);
  return multibootKernel([...bytes]);
}
