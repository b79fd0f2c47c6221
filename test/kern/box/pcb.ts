export const FP_VIRTFP: i32 = 4;

export class Pcb {
  esp: u32 = 0;
  fpArea: usize = 0;
  flags: i32 = 0;
}
