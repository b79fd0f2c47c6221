// An interrupt request line: a device drives a level, whoever owns the line sees edges and levels as it likes.

export interface IrqLine {
  set(level: boolean): void;
}

/** A line that leads nowhere. */
export const NO_IRQ: IrqLine = { set: () => {} };
