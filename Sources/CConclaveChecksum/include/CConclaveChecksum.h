/* The processor's own instruction for CRC-32C, which Swift has no name for. Arithmetic and nothing else:
 * no call of the system, no state. */
#ifndef CCONCLAVE_CHECKSUM_H
#define CCONCLAVE_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether this processor has it. */
bool conclave_checksum_is_available(void);

/* The remainder after `count` more bytes; neither it nor `crc` is inverted. To be called only where the
 * instruction is there. */
uint32_t conclave_checksum_update(uint32_t crc, const void *bytes, size_t count);

#endif
