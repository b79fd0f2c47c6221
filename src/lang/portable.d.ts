// The guest language's scalar names as Node-side code sees them: portable sources (abi, isa, elf, asm, compiler) use
// these names, and under Node each is an ordinary number or boolean. Widths are judged by gtc, not by tsc.
type i8 = number;
type u8 = number;
type i16 = number;
type u16 = number;
type i32 = number;
type u32 = number;
type usize = number;
type bool = boolean;
/** Bytes to read: u8[] in the guest; under Node also a Uint8Array. */
interface ByteArray { readonly length: number; readonly [index: number]: number; }
