// What the platform keeps for a thread while it is off the CPU, beside its kernel stack.

/** The owner of the VM space the thread runs in wants to hear of its next FPU instruction. */
export const FP_VIRTFP: i32 = 4;

export class Pcb {
  esp: u32 = 0;        // kernel stack pointer, set by cpuSwitch
  fpArea: usize = 0;   // 512 bytes, 16-byte aligned, once the thread has used the FPU
  flags: i32 = 0;
}
