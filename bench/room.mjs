/** Where a database lies while it is measured. */
import { statfsSync } from "node:fs";
import { tmpdir } from "node:os";

const GIB = 2 ** 30;

/**
 * A folder in memory where there is such a place, and room: a laptop's disk is no part of what is compared.
 *
 * @param {number} [bytes] that it may come to
 */
export function roomFor(bytes = GIB) {
  try {
    const { bavail, bsize } = statfsSync("/dev/shm");
    return bavail * bsize >= bytes ? "/dev/shm" : tmpdir();
  } catch {
    return tmpdir();
  }
}
