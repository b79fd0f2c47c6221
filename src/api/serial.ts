// A serial port's far end as a pair of Web streams. What the guest sends is gathered until flush and then is one chunk; what
// is written arrives at the UART's receiver at once, in order.

export class SerialPort {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  private sent: number[] = [];
  private controller!: ReadableStreamDefaultController<Uint8Array>;
  private open = true;

  /** @param receive takes the bytes that are written */
  constructor(receive: (bytes: Uint8Array) => void) {
    this.readable = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.controller = controller;
      },
      cancel: () => {
        this.open = false;
      },
    });
    this.writable = new WritableStream<Uint8Array>({ write: receive });
  }

  /** A byte from the guest. */
  put(byte: number): void {
    if (this.open) this.sent.push(byte);
  }

  flush(): void {
    if (!this.open || this.sent.length === 0) return;
    this.controller.enqueue(Uint8Array.from(this.sent));
    this.sent = [];
  }

  /** The reader's stream ends after what has been sent. */
  close(): void {
    this.flush();
    if (this.open) this.controller.close();
    this.open = false;
  }
}
