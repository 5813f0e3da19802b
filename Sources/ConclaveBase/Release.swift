/// The version of these programs.
package enum Release {
    package static let version = "0.1.0"
}
