// The page by which test/guest/isolation-fuzz.ts tells what its spaces should show: indices of its 32-bit words.

/** Words of the page, and the marks in its first two. */
export const MAIL = {
  magic0: 0x3a11b0c5,
  magic1: 0xc5b0113a,
  imagePages: 5,
  secretPages: 6,
  /** The space that is about to run, counted from 1; 0 while none should. */
  current: 7,
  /** Grows whenever everything was invalidated. */
  epoch: 8,
  seed: 9,
} as const;

/** Per space: the number of mappings, then start, end, offset, kind and root of each. */
export const MAPPING = { first: 16, spaceWords: 64, words: 5 } as const;

/** Touched once when the page and all marks are in place. */
export const READY_ADDRESS = 0x7e57f000;
