import ConclaveReactor
package import Logging

/// Where a daemon's settings come from, so that they can be read again.
package enum Configuration: Sendable {
    /// A level on the command line wins over the file's.
    case file(String, logLevel: Logger.Level?)
    case fixed(Settings)

    package func read() throws(SettingsFaults) -> Settings {
        switch self {
        case .fixed(let settings): return settings
        case .file(let path, let logLevel):
            var settings = try Settings.read(try Self.bytes(path), file: path)
            if let logLevel { settings.logLevel = logLevel }
            return settings
        }
    }

    private static func bytes(_ path: String) throws(SettingsFaults) -> [UInt8] {
        func fault(_ message: String) -> SettingsFaults {
            SettingsFaults([SettingsFault(file: path, position: .start, message: message)])
        }
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try FileBytes.read(path, maximum: Settings.maximumFileByteCount + 1)
        } catch {
            throw fault("cannot be read: \(error.meaning)")
        }
        guard bytes.count <= Settings.maximumFileByteCount else {
            throw fault("has more than 1 MiB")
        }
        return bytes
    }
}
