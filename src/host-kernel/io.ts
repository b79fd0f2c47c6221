// Port input and output, and the control registers.

export function inb(port: u32): u8 {
  let value: u32 = 0;
  asm`mov edx, ${port}
      xor eax, eax
      in al, dx
      mov ${value}, eax`;
  return (value & 255) as u8;
}

export function outb(port: u32, value: u32): void {
  asm`mov edx, ${port}
      mov eax, ${value}
      out dx, al`;
}

export function outw(port: u32, value: u32): void {
  asm`mov edx, ${port}
      mov eax, ${value}
      out dx, ax`;
}

export function outl(port: u32, value: u32): void {
  asm`mov edx, ${port}
      mov eax, ${value}
      out dx, eax`;
}

export function inl(port: u32): u32 {
  let value: u32 = 0;
  asm`mov edx, ${port}
      in eax, dx
      mov ${value}, eax`;
  return value;
}

/** Address of the last page fault. */
export function readCr2(): u32 {
  let value: u32 = 0;
  asm`mov eax, cr2
      mov ${value}, eax`;
  return value;
}

export function readCr0(): u32 {
  let value: u32 = 0;
  asm`mov eax, cr0
      mov ${value}, eax`;
  return value;
}

export function writeCr0(value: u32): void {
  asm`mov eax, ${value}
      mov cr0, eax`;
}

/** Set a model-specific register of 32 bits. */
export function writeMsr(register: u32, value: u32): void {
  asm`mov ecx, ${register}
      mov eax, ${value}
      xor edx, edx
      wrmsr`;
}

export function readCr4(): u32 {
  let value: u32 = 0;
  asm`mov eax, cr4
      mov ${value}, eax`;
  return value;
}

export function writeCr4(value: u32): void {
  asm`mov eax, ${value}
      mov cr4, eax`;
}
