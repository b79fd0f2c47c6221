// From reset to the first instruction of a system: the interrupt controllers and the timer as kernels of real mode expect
// them, then INT 19h: a Linux kernel that the firmware was given, the first sector of the first hard disk, or the image that
// a CD's boot catalogue names, loaded and not taken for a disk. (El Torito, version 1.0.)

import { CD_DRIVE, FIRST_DISK } from './disk.ts';

/** Where boot sectors are loaded. */
const BOOT = 0x7c00;
/** A sector of the CD on its way, and where the booted image is remembered, in the stack page below the boot sector. */
const BUFFER = 0x6000;

export const STARTUP = `
post:
  cli
  cld
  xor ax, ax
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov esp, ${BOOT}
  mov al, 0x11
  out 0x20, al
  out 0xa0, al
  mov al, 8
  out 0x21, al
  mov al, 0x70
  out 0xa1, al
  mov al, 4
  out 0x21, al
  mov al, 2
  out 0xa1, al
  mov al, 1
  out 0x21, al
  out 0xa1, al
  mov al, 0xb8
  out 0x21, al
  mov al, 0x8f
  out 0xa1, al
  mov al, 0x34
  out 0x43, al
  mov al, 0
  out 0x40, al
  out 0x40, al
  mov al, 0xae
  out 0x64, al
  int 0x19

int19:
  xor ax, ax
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov esp, ${BOOT}
  cmp word ptr cs:[kernel_segment], 0
  jne start_kernel
  sti
  mov dl, cs:[boot_drive]
  cmp dl, ${CD_DRIVE}
  je boot_cd
  mov ax, 0x0201
  mov bx, ${BOOT}
  mov cx, 1
  mov dh, 0
  int 0x13
  mov si, offset unreadable
  jc stuck
  cmp word ptr [${BOOT + 510}], 0xaa55
  mov si, offset unbootable
  jne stuck
  mov dl, ${FIRST_DISK}
  xor bx, bx
start_sector:
  xor eax, eax
  xor ecx, ecx
  xor esi, esi
  xor edi, edi
  xor ebp, ebp
  push bx
  push ${BOOT}
  xor bx, bx
  retf

start_kernel:
  cli
  mov ax, cs:[kernel_segment]
  mov ds, ax
  mov es, ax
  mov fs, ax
  mov gs, ax
  mov ss, ax
  movzx esp, word ptr cs:[kernel_stack]
  add ax, 0x20
  push ax
  push 0
  retf

int18:
  mov si, offset unbootable
stuck:
  mov al, cs:[si]
  inc si
  test al, al
  jz 1f
  mov ah, 0x0e
  mov bx, 7
  int 0x10
  jmp stuck
1:
  cli
  hlt
  jmp 1b

unreadable:
  .asciz "Boot failed: the disk cannot be read\\r\\n"
unbootable:
  .asciz "Boot failed: no boot sector\\r\\n"
uncatalogued:
  .asciz "Boot failed: no boot catalogue, or no image that is loaded as it is\\r\\n"
`;

const CD = `
boot_cd:
  mov esi, 17
  mov cx, 1
  call read_cd
  jc stuck_cd
  mov si, ${BUFFER} + 7
  mov di, offset torito
  mov cx, 23
1:
  mov al, cs:[di]
  cmp al, [si]
  jne stuck_cd
  inc si
  inc di
  loop 1b
  mov esi, [${BUFFER} + 0x47]
  mov cx, 1
  call read_cd
  jc stuck_cd
  cmp word ptr [${BUFFER} + 30], 0xaa55
  jne stuck_cd
  cmp word ptr [${BUFFER} + 32], 0x0088
  jne stuck_cd
  mov cx, [${BUFFER} + 34]
  test cx, cx
  jnz 2f
  mov cx, 0x7c0
2:
  mov esi, [${BUFFER} + 40]
  mov cs:[cd_image], esi
  movzx edx, word ptr [${BUFFER} + 38]
  add dx, 3
  shr dx, 2
  mov es, cx
  xor di, di
  mov cx, dx
  mov bx, offset cd_record
  mov dl, 0xa0
  push es
  call transfer
  pop bx
  jc stuck_cd
  mov dl, ${CD_DRIVE}
  cmp bx, 0x7c0
  jne 3f
  xor bx, bx
  jmp start_sector
3:
  push bx
  push 0
  retf
stuck_cd:
  mov si, offset uncatalogued
  jmp stuck

# CX blocks from ESI on, into the buffer.
read_cd:
  mov bx, offset cd_record
  cmp byte ptr cs:[bx + 3], 1
  jb 1f
  mov di, ${BUFFER}
  xor ax, ax
  mov es, ax
  mov dl, 0xa0
  call transfer
1:
  ret
torito:
  .ascii "EL TORITO SPECIFICATION"
`;

export const BOOTING = STARTUP + CD;
