// How an AT learns of x87 errors while CR0.NE is clear: FERR# raises IRQ 13; a write to port 0xF0 takes the request back and
// asserts IGNNE#, which lets the processor go on until the error is cleared. (Intel SDM vol. 1, appendix D.)

import type { IrqLine } from '../bus/irq.ts';
import type { PortHandler } from '../bus/ports.ts';

export class FpuErrorLatch {
  private ignoring = false;
  private asserted = false;

  constructor(private readonly irq13: IrqLine) {}

  /** FERR#: 1 when the processor shall wait for an interrupt, 2 when it may go on. */
  raise(): 1 | 2 {
    if (this.ignoring) return 2;
    this.asserted = true;
    this.irq13.set(true);
    return 1;
  }

  /** FERR# is gone, and with it IGNNE#. */
  clear(): void {
    this.ignoring = this.asserted = false;
  }

  /** Ports 0xF0 (clear) and 0xF1 (reset). */
  readonly ports: PortHandler = {
    read: () => 0xff,
    write: () => {
      this.ignoring = this.asserted;
      this.irq13.set(false);
    },
  };
}
