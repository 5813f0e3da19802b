/// One run from a seed to its report.
package enum Simulation {
    package static func run(_ options: RunOptions) -> RunReport {
        GroupWorld(options: options).run()
    }
}
