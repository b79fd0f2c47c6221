// The port map: which device answers at which of the 65,536 I/O ports. An access wider than a device's registers is
// split into bytes, as on the ISA bus; a port where nothing answers reads as all ones and swallows writes.

export type Size = 1 | 2 | 4;

/** A device's view of its ports; `port` is absolute. */
export interface PortHandler {
  /** Access widths that the device takes whole; narrower pieces are made of the others. Default: bytes only. */
  readonly wide?: Size;
  read(port: number, size: Size): number;
  write(port: number, size: Size, value: number): void;
}

export class PortMap {
  private readonly handlers: (PortHandler | undefined)[] = new Array(0x10000);

  /** @param onMissing told of every access to a port where nothing answers */
  constructor(private readonly onMissing: (what: string) => void = () => {}) {}

  /** Attaches `handler` to ports first..last. */
  attach(first: number, last: number, handler: PortHandler): void {
    for (let port = first; port <= last; port++) this.handlers[port] = handler;
  }

  /** Attaches `handler` to those of ports first..last where nothing else answers. */
  attachFree(first: number, last: number, handler: PortHandler): void {
    for (let port = first; port <= last; port++) this.handlers[port] ??= handler;
  }

  /** Takes `handler` away from ports first..last. */
  detach(first: number, last: number, handler: PortHandler): void {
    for (let port = first; port <= last; port++) if (this.handlers[port] === handler) this.handlers[port] = undefined;
  }

  /** Takes all handlers away. */
  clear(): void {
    this.handlers.fill(undefined);
  }

  read(port: number, size: Size): number {
    const handler = this.handlers[port];
    if (!handler) {
      this.onMissing(`read of ${size} bytes at port 0x${port.toString(16)}`);
      return size === 4 ? 0xffffffff : size === 2 ? 0xffff : 0xff;
    }
    if (size <= (handler.wide ?? 1)) return handler.read(port, size);
    const half = (size >> 1) as Size;
    return (this.read(port, half) | (this.read((port + half) & 0xffff, half) << (8 * half))) >>> 0;
  }

  write(port: number, size: Size, value: number): void {
    const handler = this.handlers[port];
    if (!handler) {
      this.onMissing(`write of 0x${(value >>> 0).toString(16)} (${size} bytes) at port 0x${port.toString(16)}`);
      return;
    }
    if (size <= (handler.wide ?? 1)) {
      handler.write(port, size, value);
      return;
    }
    const half = (size >> 1) as Size;
    const mask = half === 2 ? 0xffff : 0xff;
    this.write(port, half, value & mask);
    this.write((port + half) & 0xffff, half, (value >>> (8 * half)) & mask);
  }
}
