import ArgumentParser
import Conclave

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Look for what may go wrong with this host and its group.",
        discussion: """
            Says of each thing whether it is good, worth a note, a warning (works now, and may not \
            in the next trouble) or a fault (does not work), and what to do. Changes nothing; --disk \
            makes a file in that directory, syncs it \(DiskExamination.syncCount) times, and removes \
            it.

              conclave doctor --disk /var/lib/conclave
              conclave doctor --json | grep -v '"grade":"good"'

            Exit codes: 0 nothing worse than a note; 1 a warning or a fault; 64 wrong usage; 69 no \
            daemon; 77 not permitted.
            """)

    @Option(help: "Time the syncs of the disk with this directory, such as the daemon's data.")
    var disk: String?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let disk, disk.isEmpty { throw ValidationError("--disk names no directory") }
    }

    func run() throws {
        var findings = HostExamination(.read()).findings
        let (json, disk) = (common.json, disk)
        var status: GroupStatus?
        var failure: ExitStatus?
        do {
            let asked = try Self.status(of: common)
            status = asked
            findings = GroupExamination(asked).findings + findings
        } catch let error as ExitStatus {
            failure = error
            findings.insert(
                Finding(
                    .fault, "daemon", "no answer from the daemon of this host",
                    advice: "if it runs, its log may say why ('journalctl -u conclaved'); if not, "
                        + "'systemctl start conclaved', or 'conclaved --single' for a first try"),
                at: 0)
        }
        if let disk {
            findings += Self.findings(ofDisk: disk, stall: status?.timing.stall)
        }
        for finding in findings {
            Output.standard(json ? finding.json.description : finding.line)
        }
        if let failure { throw failure }
        guard findings.allSatisfy({ [.good, .note].contains($0.grade) }) else {
            throw ExitStatus(ExitStatus.notObtained)
        }
    }

    private static func status(of common: CommonOptions) throws -> GroupStatus {
        let inbox = Inbox<GroupStatus>()
        try ask(common) { conclave in inbox.send(try await conclave.status()) }
        return inbox.take()[0]
    }

    private static func findings(ofDisk directory: String, stall: Duration?) -> [Finding] {
        do {
            return try DiskExamination(directory: directory).findings(stall: stall)
        } catch {
            return [Finding(.fault, "disk", "\(error)".shown)]
        }
    }
}
