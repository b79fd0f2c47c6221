// What the services of the BIOS share. Every service runs on its caller's stack behind a frame that holds all registers; what
// it hands back, it writes there. DS is 0 inside, so that the BIOS data area is at its absolute addresses; tables of the ROM
// are read through CS. (IBM PC AT technical reference, "System BIOS usage".)

/** Offsets of the caller's registers from BP. */
export const FRAME = { edi: 0, esi: 4, ebp: 8, ebx: 16, edx: 20, ecx: 24, eax: 28, es: 32, ds: 34, flags: 40 } as const;

/** Begins a service: frame in BP, DS = 0, the caller's AX, BX, CX, DX. */
export const ENTER = `
  push ds
  push es
  pushad
  mov bp, sp
  cld
  xor bx, bx
  mov ds, bx
  mov bx, [bp + ${FRAME.ebx}]
  mov ax, [bp + ${FRAME.eax}]
`;

/** The ends of services: with carry clear, with carry set and AH = error code, or with the flags as they were. */
export const ENDS = `
succeed:
  mov byte ptr [bp + ${FRAME.eax + 1}], 0
succeed_with_ax:
  and byte ptr [bp + ${FRAME.flags}], 0xfe
  jmp done
unsupported:
  mov ah, 0x86
fail:
  mov [bp + ${FRAME.eax + 1}], ah
  or byte ptr [bp + ${FRAME.flags}], 1
done:
  popad
  pop es
  pop ds
  iret
`;

/** Jumps to the label of the function number in AH, or to the last one. */
export function dispatch(table: Readonly<Record<number, string>>, otherwise: string): string {
  return `${Object.entries(table).map(([number, label]) => `  cmp ah, ${number}\n  je ${label}\n`).join('')}  jmp ${otherwise}\n`;
}
