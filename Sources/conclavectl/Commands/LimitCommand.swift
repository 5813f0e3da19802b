import ArgumentParser
import Conclave

struct LimitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limit",
        abstract: "Change how many permits a semaphore gives out.",
        discussion: """
            A semaphore gets its limit from whoever takes it first (conclave lock --permits N \
            --limit M), and loses it when nobody holds or awaits it any more. What is given out \
            stays so when the limit is lowered; nobody gets more until enough has come back. \
            'conclave history' tells who has changed it.

              conclave limit builds 8

            Exit codes: 0; 1 refused: nobody has that semaphore, or somebody waits for more permits \
            than that; 64 wrong usage; 69 no daemon, or outside the majority; 75 nobody knows yet, \
            ask again; 77 not permitted.
            """)

    @Argument(help: "The semaphore.")
    var name: NameArgument

    @Argument(help: "The new limit, from 1 on.")
    var limit: UInt32

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if limit == 0 { throw ValidationError("the limit must not be 0") }
    }

    func run() throws {
        let (name, limit, json) = (name.text, limit, common.json)
        try ask(common, see: "why \(name)") { conclave in
            try await conclave.setLimit(ofSemaphore: name, to: limit)
            let report = JSON.object(["name": .string(name), "limit": .unsigned(UInt64(limit))])
            Output.standard(
                json ? report.description : "semaphore \(name.shown) gives out \(limit) permits")
        }
    }
}
