// INT 09h and 16h: scan codes of the PS/2 keyboard become keys in the ring at 0040:001E, with shift, control, alternate and
// the locks, for a US layout. When the machine's console is COM1, what is typed there comes as keys, too.

import { dispatch, ENTER, FRAME } from './frame.ts';

const [SHIFTS, EXTENDED, HEAD, TAIL, START, END] = [0x417, 0x496, 0x41a, 0x41c, 0x480, 0x482];
const [SHIFT, CONTROL, ALT, CAPS] = [3, 4, 8, 0x40];
const BDA = 0x400;

const PLAIN = '\0\x1b1234567890-=\b\tqwertyuiop[]\r\0asdfghjkl;\'`\0\\zxcvbnm,./\0*\0 ';
const SHIFTED = '\0\x1b!@#$%^&*()_+\b\tQWERTYUIOP{}\r\0ASDFGHJKL:"~\0|ZXCVBNM<>?\0*\0 ';

const bytes = (text: string) => [...text].map((c) => c.charCodeAt(0)).join(', ');

/** Keys that change the shift state: scan code and bit. */
const MODIFIERS = [[0x2a, 2], [0x36, 1], [0x1d, CONTROL], [0x38, ALT]] as const;
const LOCKS = [[0x3a, CAPS], [0x45, 0x20], [0x46, 0x10]] as const;

const INTERRUPT = `
int09:
  push ds
  push es
  pushad
  cld
  xor ax, ax
  mov ds, ax
  in al, 0x64
  test al, 1
  jz 9f
  in al, 0x60
  mov ah, 0x4f
  stc
  int 0x15
  jnc 9f
  call scan_code
9:
  mov al, 0x20
  out 0x20, al
  popad
  pop es
  pop ds
  iret

scan_code:
  cmp al, 0xe0
  jne 1f
  or byte ptr [${EXTENDED}], 2
  ret
1:
  mov ah, al
  and al, 0x7f
${MODIFIERS.map(([code, bit]) => `  mov bl, ${bit}\n  cmp al, ${code}\n  je modifier`).join('\n')}
  test ah, 0x80
  jnz 3f
${LOCKS.map(([code, bit]) => `  mov bl, ${bit}\n  cmp al, ${code}\n  je lock_key`).join('\n')}
  call key_of
  test ax, ax
  jz 3f
  call store_key
3:
  and byte ptr [${EXTENDED}], 0xfd
  ret
modifier:
  and byte ptr [${EXTENDED}], 0xfd
  or [${SHIFTS}], bl
  test ah, 0x80
  jz 4f
  not bl
  and [${SHIFTS}], bl
4:
  ret
lock_key:
  xor [${SHIFTS}], bl
  ret

# AX: scan code and character of the key AL that is pressed; 0: none.
key_of:
  mov ah, al
  mov dl, [${SHIFTS}]
  cmp al, 0x39
  ja keys_beyond
  test byte ptr [${EXTENDED}], 2
  jnz extended_key
  test dl, ${ALT}
  jnz alternate_key
  movzx bx, al
  mov al, cs:[bx + plain_keys]
  mov cl, al
  or cl, 0x20
  sub cl, 0x61
  cmp cl, 26
  jae 1f
  test dl, ${CONTROL}
  jnz control_key
  test dl, ${CAPS}
  jz 1f
  xor dl, 1
  test dl, 2
  jz 1f
  and dl, 0xfc
1:
  test dl, ${SHIFT}
  jz 2f
  mov al, cs:[bx + shifted_keys]
2:
  test al, al
  jnz 3f
  xor ah, ah
3:
  ret
control_key:
  and al, 0x1f
  ret
alternate_key:
  xor al, al
  ret
# Enter and / of the number pad have their characters; other extended keys have E0 for one.
extended_key:
  mov al, 0x0d
  cmp ah, 0x1c
  je 1f
  mov al, 0x2f
1:
  mov ah, 0xe0
  ret
keys_beyond:
  cmp al, 0x58
  ja no_key
  cmp al, 0x44
  jbe 2f
  cmp al, 0x57
  jae 3f
  mov cl, 0xe0
  test byte ptr [${EXTENDED}], 2
  jnz 1f
  movzx bx, al
  mov cl, cs:[bx + pad_keys - 0x45]
1:
  mov al, cl
  ret
2:
  xor al, al
  test dl, ${SHIFT}
  jz 5f
  add ah, 0x19
5:
  ret
3:
  add ah, 0x2e
  xor al, al
  ret
no_key:
  xor ax, ax
  ret

# Puts the key AX into the ring; carry when it is full.
store_key:
  mov bx, [${TAIL}]
  mov si, bx
  add si, 2
  cmp si, [${END}]
  jb 1f
  mov si, [${START}]
1:
  cmp si, [${HEAD}]
  stc
  je 2f
  mov [bx + ${BDA}], ax
  mov [${TAIL}], si
  clc
2:
  ret

plain_keys:
  .byte ${bytes(PLAIN)}
shifted_keys:
  .byte ${bytes(SHIFTED)}
pad_keys:
  .byte 0, 0, 0, 0, 0, 0x2d, 0, 0, 0, 0x2b, 0, 0, 0, 0, 0, 0, 0, 0
`;

const SERVICE = `
int16:
${ENTER}
${dispatch({ 0: 'read_key', 0x10: 'read_key', 1: 'peek_key', 0x11: 'peek_key', 2: 'shift_flags', 0x12: 'all_shift_flags', 5: 'push_key' }, 'done')}

read_key:
  call serial_keys
  cli
  mov bx, [${HEAD}]
  cmp bx, [${TAIL}]
  jne 1f
  sti
  hlt
  jmp read_key
1:
  mov ax, [bx + ${BDA}]
  add bx, 2
  cmp bx, [${END}]
  jb 2f
  mov bx, [${START}]
2:
  mov [${HEAD}], bx
  call plain_pad
  mov [bp + ${FRAME.eax}], ax
  jmp done

peek_key:
  call serial_keys
  or byte ptr [bp + ${FRAME.flags}], 0x40
  mov bx, [${HEAD}]
  cmp bx, [${TAIL}]
  je done
  and byte ptr [bp + ${FRAME.flags}], 0xbf
  mov ax, [bx + ${BDA}]
  call plain_pad
  mov [bp + ${FRAME.eax}], ax
  jmp done

# The old functions, 0 and 1, show extended keys as the keyboard of 1981 would have.
plain_pad:
  test byte ptr [bp + ${FRAME.eax + 1}], 0x10
  jnz 1f
  cmp al, 0xe0
  jne 1f
  xor al, al
1:
  ret

# Function 12h says in AH which of two: the left ones.
all_shift_flags:
  mov ah, [${SHIFTS}]
  shr ah, 2
  and ah, 3
  mov [bp + ${FRAME.eax + 1}], ah
shift_flags:
  mov al, [${SHIFTS}]
  mov [bp + ${FRAME.eax}], al
  jmp done

push_key:
  mov ax, cx
  call store_key
  setb al
  mov [bp + ${FRAME.eax}], al
  jmp done

# What has been typed at COM1.
serial_keys:
  cmp byte ptr cs:[serial_console], 0
  je 2f
1:
  mov dx, 0x3fd
  in al, dx
  test al, 1
  jz 2f
  mov dx, 0x3f8
  in al, dx
  call typed_key
  call store_key
  jnc 1b
2:
  ret

# AX: the key that types the character AL.
typed_key:
  cmp al, 10
  jne 1f
  mov al, 13
1:
  cmp al, 0x7f
  jne 2f
  mov al, 8
2:
  xor bx, bx
3:
  cmp al, cs:[bx + plain_keys]
  je 4f
  cmp al, cs:[bx + shifted_keys]
  je 4f
  inc bx
  cmp bx, ${PLAIN.length}
  jb 3b
  xor bx, bx
4:
  mov ah, bl
  ret
`;

export const KEYBOARD = INTERRUPT + SERVICE;
