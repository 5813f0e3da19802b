import ConclaveBase

/// What was decoded before, for whoever reads the segments of a running member again and again: the
/// same bytes in the same place are the same batch, or none as before.
package final class KnownBatches {
    /// What was read of one file.
    struct File {
        private struct Known {
            /// All that the answer depends on, besides the size of the file.
            var bytes: [UInt8]
            var fileByteCount: Int
            var lineage: Lineage
            /// As the checksum takes it.
            var segment: UInt64
            var batch: BatchFormat.Batch?
        }

        private static let maximumByteCount = 1 << 19

        /// By sector.
        private var known: [Known?] = []

        /// As `BatchFormat.decode`.
        ///
        /// - Precondition: A sector begins at `offset`.
        mutating func decode(
            _ bytes: [UInt8], at offset: Int, segment: UInt64, lineage: Lineage
        ) -> BatchFormat.Batch? {
            let sector = offset / Sector.byteCount
            if sector < known.count, let before = known[sector], before.segment == segment,
                before.lineage == lineage, before.fileByteCount == bytes.count,
                before.bytes.lie(at: offset, in: bytes)
            {
                return before.batch
            }
            let batch = BatchFormat.decode(bytes, at: offset, segment: segment, lineage: lineage)
            let end = min(offset + BatchFormat.byteCount(at: offset, in: bytes), bytes.count)
            guard end - offset <= Self.maximumByteCount else { return batch }
            while known.count <= sector { known.append(nil) }
            known[sector] = Known(
                bytes: Array(bytes[offset..<end]), fileByteCount: bytes.count, lineage: lineage,
                segment: segment, batch: batch)
            return batch
        }
    }

    /// By the number of the segment.
    private var files: [UInt64: File] = [:]

    package init() {}

    /// What is known of a file, to be given back with what was read.
    func take(_ number: UInt64) -> File { files.removeValue(forKey: number) ?? File() }

    func put(_ file: File, as number: UInt64) { files[number] = file }

    /// Other segments are gone.
    func keep(only numbers: [UInt64]) {
        guard files.count > numbers.count else { return }
        files = files.filter { numbers.contains($0.key) }
    }
}
