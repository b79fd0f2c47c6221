import { L_WRITE, linux } from './linux.ts';

class Out { byte: u8 = 0; }
let out!: Embed<Out>;

export function consPutc(c: i32): void {
  out.byte = c as u8;
  if (c != 13) linux(L_WRITE, 1, addressof(out), 1, 0, 0);
}
