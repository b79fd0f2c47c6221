// INT 13h: hard disks 80h-83h by cylinder, head and sector and by the extensions of version 1, the CD-ROM E0h by the latter.
// Sectors are moved by programmed I/O, one command for each. What drives there are is in a table of the ROM that the
// firmware fills in. (Enhanced disk drive specification 1.1; ATA/ATAPI-4.)

import { dispatch, ENTER, FRAME } from './frame.ts';

/** A record of the drive table: its size and where its fields are. */
export const DRIVE = { bytes: 16, base: 0, select: 2, kind: 3, sectors: 4, cylinders: 8, heads: 10, spt: 12 } as const;
export const DRIVES = 5;
/** Kinds of drive. */
export const [NO_DRIVE, HARD_DISK, CD_ROM] = [0, 1, 2];
export const [FIRST_DISK, CD_DRIVE] = [0x80, 0xe0];
const CD_RECORD = 4;
const STATUS = 0x474;
const [DAP_COUNT, DAP_OFFSET, DAP_SEGMENT, DAP_LBA] = [2, 4, 6, 8];

const CHOICE = `
int13:
${ENTER}
  cmp ah, 0x4b
  je cd_emulation
  call drive_of
  mov ah, 1
  jc disk_fails
  mov ah, [bp + ${FRAME.eax + 1}]
${dispatch({ 0: 'disk_ok', 1: 'disk_status', 2: 'sectors', 3: 'sectors', 4: 'disk_ok', 8: 'geometry', 9: 'disk_ok', 0xc: 'disk_ok', 0xd: 'disk_ok', 0x10: 'disk_ok', 0x11: 'disk_ok', 0x15: 'disk_type', 0x41: 'extensions', 0x42: 'extended', 0x43: 'extended', 0x44: 'disk_ok', 0x47: 'disk_ok', 0x48: 'extended_geometry' }, 'disk_unknown')}
disk_unknown:
  mov ah, 1
disk_fails:
  mov [${STATUS}], ah
  jmp fail
disk_ok:
  mov byte ptr [${STATUS}], 0
  jmp succeed
disk_status:
  mov ah, [${STATUS}]
  test ah, ah
  jnz fail
  jmp succeed

# BX: the record of drive DL; carry when it is not there.
drive_of:
  movzx bx, dl
  sub bx, ${FIRST_DISK}
  cmp bx, ${CD_RECORD}
  jb 1f
  cmp dl, ${CD_DRIVE}
  mov bx, ${CD_RECORD}
  stc
  jne 2f
1:
  shl bx, 4
  add bx, drives
  cmp byte ptr cs:[bx + ${DRIVE.kind}], 1
2:
  ret
`;

const BY_CYLINDER = `
# AL sectors at cylinder and sector CX, head DH, to or from ES:BX.
sectors:
  cmp byte ptr cs:[bx + ${DRIVE.kind}], ${HARD_DISK}
  jne disk_unknown
  mov al, cl
  and ax, 0x3f
  jz disk_unknown
  cmp ax, cs:[bx + ${DRIVE.spt}]
  ja disk_unknown
  movzx esi, ax
  dec esi
  mov al, ch
  mov ah, cl
  shr ah, 6
  cmp ax, cs:[bx + ${DRIVE.cylinders}]
  jae disk_unknown
  movzx eax, ax
  movzx ecx, dh
  cmp cx, cs:[bx + ${DRIVE.heads}]
  jae disk_unknown
  movzx edi, word ptr cs:[bx + ${DRIVE.heads}]
  mul edi
  add eax, ecx
  movzx edi, word ptr cs:[bx + ${DRIVE.spt}]
  mul edi
  add esi, eax
  mov di, [bp + ${FRAME.ebx}]
  movzx cx, byte ptr [bp + ${FRAME.eax}]
  mov dl, 0x20
  cmp byte ptr [bp + ${FRAME.eax + 1}], 2
  je 1f
  mov dl, 0x30
1:
  call transfer
  movzx ax, byte ptr [bp + ${FRAME.eax}]
  pushf
  sub ax, cx
  mov [bp + ${FRAME.eax}], al
  popf
  jnc disk_ok
  mov ah, 4
  jmp disk_fails

geometry:
  cmp byte ptr cs:[bx + ${DRIVE.kind}], ${HARD_DISK}
  jne disk_unknown
  mov ax, cs:[bx + ${DRIVE.cylinders}]
  dec ax
  mov cl, ah
  shl cl, 6
  or cl, cs:[bx + ${DRIVE.spt}]
  mov ch, al
  mov [bp + ${FRAME.ecx}], cx
  mov ax, cs:[bx + ${DRIVE.heads}]
  dec ax
  mov ah, al
  mov al, [0x475]
  mov [bp + ${FRAME.edx}], ax
  mov byte ptr [bp + ${FRAME.eax}], 0
  jmp disk_ok

disk_type:
  mov eax, cs:[bx + ${DRIVE.sectors}]
  mov [bp + ${FRAME.edx}], ax
  shr eax, 16
  mov [bp + ${FRAME.ecx}], ax
  mov ah, 3
  jmp succeed_with_ah
succeed_with_ah:
  mov [bp + ${FRAME.eax + 1}], ah
  jmp succeed_with_ax
`;

const BY_BLOCK = `
extensions:
  mov ax, [bp + ${FRAME.ebx}]
  cmp ax, 0x55aa
  jne disk_unknown
  mov word ptr [bp + ${FRAME.ebx}], 0xaa55
  mov word ptr [bp + ${FRAME.ecx}], 5
  mov ah, 0x21
  jmp succeed_with_ah

# The caller's packet at DS:SI says how many blocks, where in memory, and which.
extended:
  mov es, [bp + ${FRAME.ds}]
  mov si, [bp + ${FRAME.esi}]
  mov di, si
  cmp dword ptr es:[si + ${DAP_LBA + 4}], 0
  jne disk_unknown
  mov cx, es:[di + ${DAP_COUNT}]
  mov esi, es:[di + ${DAP_LBA}]
  mov eax, esi
  movzx edx, cx
  add eax, edx
  jc disk_unknown
  cmp eax, cs:[bx + ${DRIVE.sectors}]
  ja disk_unknown
  push es
  push di
  mov ax, es:[di + ${DAP_SEGMENT}]
  mov di, es:[di + ${DAP_OFFSET}]
  mov es, ax
  cmp byte ptr cs:[bx + ${DRIVE.kind}], ${CD_ROM}
  je 1f
  mov dl, 0x20
  cmp byte ptr [bp + ${FRAME.eax + 1}], 0x42
  je 2f
  mov dl, 0x30
  jmp 2f
1:
  mov dl, 0xa0
  cmp byte ptr [bp + ${FRAME.eax + 1}], 0x42
  jne extended_protected
2:
  call transfer
  pop di
  pop es
  jnc disk_ok
  sub es:[di + ${DAP_COUNT}], cx
  mov ah, 4
  jmp disk_fails
extended_protected:
  pop di
  pop es
  mov ah, 3
  jmp disk_fails

extended_geometry:
  mov es, [bp + ${FRAME.ds}]
  mov di, [bp + ${FRAME.esi}]
  cmp word ptr es:[di], 26
  jb disk_unknown
  mov word ptr es:[di], 26
  mov word ptr es:[di + 2], 2
  movzx eax, word ptr cs:[bx + ${DRIVE.cylinders}]
  mov es:[di + 4], eax
  movzx eax, word ptr cs:[bx + ${DRIVE.heads}]
  mov es:[di + 8], eax
  movzx eax, word ptr cs:[bx + ${DRIVE.spt}]
  mov es:[di + 12], eax
  mov eax, cs:[bx + ${DRIVE.sectors}]
  mov es:[di + 16], eax
  mov dword ptr es:[di + 20], 0
  mov word ptr es:[di + 24], 512
  cmp byte ptr cs:[bx + ${DRIVE.kind}], ${CD_ROM}
  jne disk_ok
  mov word ptr es:[di + 2], 0x74
  mov word ptr es:[di + 24], 2048
  jmp disk_ok

# What was booted from the CD: an image that is not taken for a floppy disk.
cd_emulation:
  cmp dl, ${CD_DRIVE}
  mov ah, 1
  jne disk_fails
  call drive_of
  mov ah, 1
  jc disk_fails
  mov es, [bp + ${FRAME.ds}]
  mov di, [bp + ${FRAME.esi}]
  mov word ptr es:[di], 0x0013
  mov word ptr es:[di + 2], ${CD_DRIVE}
  mov eax, cs:[cd_image]
  mov es:[di + 4], eax
  mov dword ptr es:[di + 8], 0
  mov dword ptr es:[di + 12], 0x07c0
  mov dword ptr es:[di + 15], 0
  jmp disk_ok
`;

const TRANSFER = `
# CX blocks from ESI on, to or from ES:DI, by command DL: 20h read, 30h write, A0h read from a CD; each is tried three times,
# because a CD that is new answers the first command with that news. Carry: it failed, CX are left.
transfer:
  mov ax, di
  shr ax, 4
  push dx
  mov dx, es
  add ax, dx
  pop dx
  mov es, ax
  and di, 15
1:
  jcxz 3f
  call block
  jnc 5f
  call block
  jnc 5f
  call block
  jc 4f
5:
  mov ax, es
  add ax, 0x20
  cmp dl, 0xa0
  jne 2f
  add ax, 0x60
2:
  mov es, ax
  inc esi
  loop 1b
3:
  clc
4:
  ret

# One block ESI, ES:DI as above. Carry: it failed.
block:
  pusha
  mov ah, dl
  mov dx, cs:[bx + ${DRIVE.base}]
  add dx, 7
1:
  in al, dx
  test al, 0x80
  jnz 1b
  dec dx
  mov al, cs:[bx + ${DRIVE.select}]
  cmp ah, 0xa0
  je packet
  mov ecx, esi
  shr ecx, 24
  or al, cl
  out dx, al
  sub dx, 4
  mov al, 1
  out dx, al
  inc dx
  mov ecx, esi
  mov al, cl
  out dx, al
  inc dx
  mov al, ch
  out dx, al
  inc dx
  shr ecx, 16
  mov al, cl
  out dx, al
  add dx, 2
  mov al, ah
  out dx, al
  call data_wanted
  jc block_fails
  mov cx, 256
  cmp ah, 0x30
  je 2f
  rep insw
  jmp 3f
2:
  push ds
  push es
  pop ds
  mov si, di
  rep outsw
  pop ds
3:
  mov dx, cs:[bx + ${DRIVE.base}]
  add dx, 7
4:
  in al, dx
  test al, 0x80
  jnz 4b
  test al, 0x21
  jnz block_fails
  popa
  clc
  ret
block_fails:
  popa
  stc
  ret

# READ (10) of one block from a packet device.
packet:
  out dx, al
  sub dx, 5
  xor al, al
  out dx, al
  add dx, 3
  out dx, al
  inc dx
  mov al, 8
  out dx, al
  add dx, 2
  mov al, 0xa0
  out dx, al
  call data_wanted
  jc block_fails
  mov ax, 0x28
  out dx, ax
  mov ecx, esi
  shr ecx, 16
  mov ax, cx
  xchg al, ah
  out dx, ax
  mov ax, si
  xchg al, ah
  out dx, ax
  xor ax, ax
  out dx, ax
  mov ax, 1
  out dx, ax
  xor ax, ax
  out dx, ax
  call data_wanted
  jc block_fails
  mov cx, 1024
  rep insw
  jmp 3b

# Waits until the drive moves data; DX is its data port then. Carry: it fails instead.
data_wanted:
  push ax
  mov dx, cs:[bx + ${DRIVE.base}]
  add dx, 7
1:
  in al, dx
  test al, 0x80
  jnz 1b
  test al, 0x21
  jnz 2f
  test al, 8
  jz 1b
  sub dx, 7
  pop ax
  clc
  ret
2:
  pop ax
  stc
  ret
`;

export const DISK = CHOICE + BY_CYLINDER + BY_BLOCK + TRANSFER;
