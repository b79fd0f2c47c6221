// The services without a device of their own: equipment (INT 11h), memory (12h), system services (15h), time (1Ah), and the
// hardware interrupts that a BIOS answers: the timer's tick, the keyboard's (keyboard.ts), and the others with no more than
// their end.

import { dispatch, ENTER, FRAME } from './frame.ts';

const [EQUIPMENT, MEMORY, TICKS, MIDNIGHT] = [0x410, 0x413, 0x46c, 0x470];
const TICKS_OF_A_DAY = 0x1800b0;
const PM_TIMER = 0x608;

const INTERRUPTS = `
int08:
  push ds
  push eax
  push dx
  xor ax, ax
  mov ds, ax
  mov eax, [${TICKS}]
  inc eax
  cmp eax, ${TICKS_OF_A_DAY}
  jb 1f
  xor eax, eax
  inc byte ptr [${MIDNIGHT}]
1:
  mov [${TICKS}], eax
  int 0x1c
  mov al, 0x20
  out 0x20, al
  pop dx
  pop eax
  pop ds
  iret

end_of_slave:
  push ax
  mov al, 0x20
  out 0xa0, al
  out 0x20, al
  pop ax
  iret
end_of_master:
  push ax
  mov al, 0x20
  out 0x20, al
  pop ax
nothing:
  iret

int11:
  push ds
  push 0
  pop ds
  mov ax, [${EQUIPMENT}]
  pop ds
  iret
int12:
  push ds
  push 0
  pop ds
  mov ax, [${MEMORY}]
  pop ds
  iret
`;

const MEMORY_SIZES = `
extended_memory:
  mov ax, cs:[memory_kib]
  mov [bp + ${FRAME.eax}], ax
  jmp succeed_with_ax

memory_by_size:
  cmp al, 1
  je memory_of_two
  cmp al, 0x20
  jne unsupported
  cmp dword ptr [bp + ${FRAME.edx}], 0x534d4150
  jne unsupported
  mov bx, [bp + ${FRAME.ebx}]
  cmp bx, cs:[map_entries]
  jae unsupported
  mov ax, bx
  inc ax
  cmp ax, cs:[map_entries]
  jb 1f
  xor ax, ax
1:
  movzx eax, ax
  mov [bp + ${FRAME.ebx}], eax
  imul si, bx, 20
  add si, memory_map
  mov es, [bp + ${FRAME.es}]
  mov di, [bp + ${FRAME.edi}]
  mov cx, 5
2:
  mov eax, cs:[si]
  add si, 4
  stosd
  loop 2b
  mov dword ptr [bp + ${FRAME.ecx}], 20
  mov dword ptr [bp + ${FRAME.eax}], 0x534d4150
  jmp succeed_with_ax

# KiB from 1 to 16 MiB, and pieces of 64 KiB above.
memory_of_two:
  mov ax, cs:[memory_to_16]
  mov [bp + ${FRAME.eax}], ax
  mov [bp + ${FRAME.ecx}], ax
  mov ax, cs:[memory_above_16]
  mov [bp + ${FRAME.ebx}], ax
  mov [bp + ${FRAME.edx}], ax
  jmp succeed_with_ax
`;

const MOVING = `
# CX words between the segments of the descriptors 2 and 3 in the table at ES:SI.
block_move:
  test cx, cx
  jz succeed
  movzx ecx, cx
  call descriptor_base
  push eax
  add si, 8
  call descriptor_base
  mov edi, eax
  pop esi
  cli
  lgdt cs:[flat_table]
  mov eax, cr0
  or al, 1
  mov cr0, eax
  push 8
  push offset move_protected
  retf
move_protected:
  push 0x10
  pop ds
  push 0x10
  pop es
  addr32 rep movsw
  push 0x18
  pop ds
  push 0x18
  pop es
  mov eax, cr0
  and al, 0xfe
  mov cr0, eax
  push 0xf000
  push offset move_done
  retf
move_done:
  xor ax, ax
  mov ds, ax
  jmp succeed

# EAX: the base in the descriptor at ES:SI + 10h.
descriptor_base:
  mov eax, es:[si + 0x12]
  and eax, 0xffffff
  movzx edx, byte ptr es:[si + 0x17]
  shl edx, 24
  or eax, edx
  ret

  .align 8
flat_entries:
  .long 0, 0
  .long 0x0000ffff, 0x00009b0f
  .long 0x0000ffff, 0x00cf9300
  .long 0x0000ffff, 0x00009300
flat_table:
  .word 31
  .long flat_entries + 0xf0000
`;

const SERVICES = `
int15:
${ENTER}
${dispatch({ 0x24: 'gate', 0x4f: 'untouched_key', 0x86: 'wait', 0x87: 'block_move', 0x88: 'extended_memory', 0xe8: 'memory_by_size', 0xc0: 'configuration' }, 'unsupported')}
untouched_key:
  or byte ptr [bp + ${FRAME.flags}], 1
  jmp done

# The table of the machine's abilities.
configuration:
  mov word ptr [bp + ${FRAME.ebx}], offset abilities
  mov word ptr [bp + ${FRAME.es}], 0xf000
  jmp succeed
abilities:
  .word 8
  .byte 0xfc, 0, 0, 0x74, 0x40, 0, 0, 0

gate:
  cmp al, 3
  ja unsupported
  je 3f
  mov bl, al
  in al, 0x92
  cmp bl, 2
  je 2f
  and al, 0xfd
  shl bl, 1
  or al, bl
  out 0x92, al
  jmp succeed
2:
  shr al, 1
  and al, 1
  mov [bp + ${FRAME.eax}], al
  jmp succeed
3:
  mov word ptr [bp + ${FRAME.ebx}], 3
  jmp succeed

# CX:DX microseconds by the power management timer.
wait:
  shl ecx, 16
  mov cx, dx
  mov eax, 3580
  mul ecx
  mov ecx, 1000
  cmp edx, ecx
  jae unsupported
  div ecx
  mov ecx, eax
  mov dx, ${PM_TIMER}
  in eax, dx
  mov ebx, eax
1:
  in eax, dx
  mov esi, eax
  sub eax, ebx
  and eax, 0xffffff
  mov ebx, esi
  sub ecx, eax
  ja 1b
  jmp succeed
`;

const TIME = `
int1a:
${ENTER}
${dispatch({ 0: 'get_ticks', 1: 'set_ticks', 2: 'get_time', 4: 'get_date' }, 'unsupported')}
get_ticks:
  mov ax, [${TICKS}]
  mov [bp + ${FRAME.edx}], ax
  mov ax, [${TICKS + 2}]
  mov [bp + ${FRAME.ecx}], ax
  xor ax, ax
  xchg [${MIDNIGHT}], al
  mov [bp + ${FRAME.eax}], ax
  jmp succeed_with_ax
set_ticks:
  mov [${TICKS}], dx
  mov [${TICKS + 2}], cx
  mov byte ptr [${MIDNIGHT}], 0
  jmp succeed
get_time:
  mov al, 4
  call clock_register
  mov [bp + ${FRAME.ecx + 1}], al
  mov al, 2
  call clock_register
  mov [bp + ${FRAME.ecx}], al
  mov al, 0
  call clock_register
  mov ah, al
  xor al, al
  mov [bp + ${FRAME.edx}], ax
  jmp succeed
get_date:
  mov al, 0x32
  call clock_register
  mov [bp + ${FRAME.ecx + 1}], al
  mov al, 9
  call clock_register
  mov [bp + ${FRAME.ecx}], al
  mov al, 8
  call clock_register
  mov [bp + ${FRAME.edx + 1}], al
  mov al, 7
  call clock_register
  mov [bp + ${FRAME.edx}], al
  jmp succeed
clock_register:
  out 0x70, al
  in al, 0x71
  ret
`;

export const SYSTEM = INTERRUPTS + SERVICES + MEMORY_SIZES + MOVING + TIME;
