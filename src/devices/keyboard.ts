// The 8042 keyboard controller as far as a machine without a keyboard needs it: self-test, command byte, output port,
// the reset command 0xFE, and "nothing to read" for everything else.

import type { PortHandler } from '../bus/ports.ts';

export class KeyboardController {
  private commandByte = 0x45;
  private output = -1;
  private pending = 0;

  /** @param reset pulls the processor's reset line */
  constructor(private readonly reset: () => void) {}

  /** Port 0x60. */
  readonly data: PortHandler = {
    read: () => {
      const value = this.output < 0 ? 0 : this.output;
      this.output = -1;
      return value;
    },
    write: (_port, _size, value) => {
      if (this.pending === 0x60) this.commandByte = value;
      this.pending = 0;
    },
  };

  /** Port 0x64. */
  readonly command: PortHandler = {
    read: () => 0x14 | (this.output >= 0 ? 1 : 0),
    write: (_port, _size, value) => {
      this.pending = 0;
      if (value === 0x20) this.output = this.commandByte;
      else if (value === 0xaa) this.output = 0x55;
      else if (value === 0xab) this.output = 0;
      else if (value === 0xd0) this.output = 0x03;
      else if (value === 0x60 || value === 0xd1) this.pending = value;
      else if (value === 0xfe) this.reset();
    },
  };
}
