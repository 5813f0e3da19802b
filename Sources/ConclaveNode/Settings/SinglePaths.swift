import Glibc

/// Where `conclaved --single` keeps its data and listens, if it is not told.
package enum SinglePaths {
    /// `$XDG_STATE_HOME/conclave`, else `~/.local/state/conclave`.
    package static func data() throws(StartFault) -> String {
        if let state = environment("XDG_STATE_HOME") { return state + "/conclave" }
        guard let home = environment("HOME") else {
            throw StartFault(.usage, "neither XDG_STATE_HOME nor HOME is set: give --data")
        }
        return home + "/.local/state/conclave"
    }

    /// In `$XDG_RUNTIME_DIR/conclave`, else in `/tmp/conclave-UID`; the directory is made, for this
    /// user only.
    package static func socket() throws(StartFault) -> String {
        let folder =
            environment("XDG_RUNTIME_DIR").map { $0 + "/conclave" } ?? "/tmp/conclave-\(getuid())"
        try PrivateDirectory.make(folder, followsLink: false)
        return folder + "/conclave.sock"
    }

    /// The specification asks for absolute paths and to ignore others.
    private static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        let text = unsafe String(cString: value)
        return text.hasPrefix("/") ? text : nil
    }
}
