import Conclave
import Glibc

/// An exit code of `conclave`, thrown by a command that has said what there was to say.
struct ExitStatus: Error, Equatable {
    var code: Int32
    /// A command that was run has ended so by itself: the same code of this program's own means
    /// something else.
    var isOfCommand = false

    static let success: Int32 = 0
    static let notObtained: Int32 = 1
    static let usage: Int32 = 64
    static let unavailable: Int32 = 69
    /// The standard output could not be written to.
    static let notPrinted: Int32 = 74
    static let tryAgain: Int32 = 75
    static let lost: Int32 = 76
    static let denied: Int32 = 77
    static let notExecutable: Int32 = 126
    static let notFound: Int32 = 127
    static let interrupted: Int32 = 130

    init(_ code: Int32) {
        self.code = code
    }

    /// What a failed request ends the program with.
    init(for error: ConclaveError) {
        code =
            switch error.code {
            case .invalid, .unsupported: Self.usage
            case .disconnected, .unavailable: Self.unavailable
            case .sessionEnded, .outcomeUnknown: Self.tryAgain
            case .lost, .notHeld: Self.lost
            case .denied: Self.denied
            default: Self.notObtained
            }
    }

    /// What a command that has ended makes of it; `forwarded`: signals it was passed by us.
    init(of ended: ChildProcess.End, forwarded: Set<Int32>) {
        switch ended {
        case .exited(let code):
            self.code = code
            isOfCommand = true
        case .killed(let signal):
            code = forwarded.contains(signal) ? Self.interrupted : 128 + signal
        }
    }
}
