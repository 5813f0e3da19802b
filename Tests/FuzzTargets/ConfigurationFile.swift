import ConclaveNode

/// Target `settings`: the configuration file. What is taken must be within all bounds, so that
/// nothing of it is refused when it is written and read again.
enum ConfigurationFile {
    static func run(_ bytes: [UInt8]) {
        do {
            let settings = try Settings.read(bytes, file: "conclave.yaml")
            _ = settings.configuredNodes
            for key in SettingKey.allCases { _ = settings.text(of: key) }
            demand(settings.differences(from: settings).isEmpty, "settings differ from themselves")
        } catch {
            demand(!error.faults.isEmpty, "a configuration is refused without a reason")
            for fault in error.faults {
                demand(
                    fault.position.line >= 1 && fault.position.column >= 1,
                    "a fault is nowhere")
                _ = fault.description
            }
        }
    }
}
