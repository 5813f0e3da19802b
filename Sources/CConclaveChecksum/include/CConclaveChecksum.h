/* The instruction for CRC-32C of x86-64 with SSE 4.2, which Swift has no name for. Arithmetic and nothing else:
 * no call of the system, no state. */
#ifndef CCONCLAVE_CHECKSUM_H
#define CCONCLAVE_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether this is such a processor. */
bool conclave_checksum_is_available(void);

/* The remainder after `count` more bytes; neither it nor `crc` is inverted. Ends the program where the
 * instruction is not available. */
uint32_t conclave_checksum_update(uint32_t crc, const void *bytes, size_t count);

#endif
