// Text that grows: bytes are appended to a buffer that doubles, and taken out as one string.

import { mfree, malloc } from './rt.ts';
import { stringOf } from './strings.ts';
import { cstr } from './sys.ts';

export class TextBuilder {
  length: i32 = 0;
  private room: i32 = 0;
  private bytes: usize = 0;

  private reserve(more: i32): void {
    if (this.length + more <= this.room) return;
    let room: i32 = this.room == 0 ? 56 : this.room * 2;
    while (room < this.length + more) room *= 2;
    const bigger = malloc(room as usize);
    memory.copy(bigger, this.bytes, this.length as usize);
    mfree(this.bytes);
    this.bytes = bigger;
    this.room = room;
  }

  addByte(c: i32): void {
    if (this.length == this.room) this.reserve(1);
    store<u8>(this.bytes + (this.length as usize), c as u8);
    this.length++;
  }

  add(text: string): void {
    this.addBytes(cstr(text), text.length);
  }

  addBytes(address: usize, count: i32): void {
    this.reserve(count);
    memory.copy(this.bytes + (this.length as usize), address, count as usize);
    this.length += count;
  }

  /** The byte at an index below length. */
  at(index: i32): i32 {
    return load<u8>(this.bytes + (index as usize)) as i32;
  }

  /** Forgets everything from `length` on. */
  shorten(length: i32): void {
    if (length < this.length) this.length = length;
  }

  toString(): string {
    return stringOf(this.bytes, this.length);
  }

  /** The text, and an empty builder again. */
  take(): string {
    const text = this.toString();
    this.length = 0;
    return text;
  }
}
