import ConclaveBase
import ConclaveCoordination
import ConclaveReactor
import Glibc

/// Asks the kernel who is at the other end of a client's socket.
struct ProcessReader {
    struct Peer {
        var identity: ProcessIdentity
        /// Readable once the process is dead.
        var process: Descriptor
    }

    let host: NodeID
    private let bootID: UInt64

    init(host: NodeID) {
        self.host = host
        let text = FileBytes.text("/proc/sys/kernel/random/boot_id") ?? ""
        bootID = ProcessText.bootID(text) ?? 0
    }

    /// Nothing for a process that is already gone, or that this daemon cannot see.
    func peer(of socket: Descriptor) throws(SystemError) -> Peer? {
        let credentials = try UnixSocket.credentials(ofPeer: socket)
        guard credentials.process > 0 else { return nil }
        let process: Descriptor
        do throws(SystemError) {
            process = try UnixSocket.process(ofPeer: socket)
        } catch {
            if error.number == ESRCH { return nil }
            throw error
        }
        let folder = "/proc/\(credentials.process)"
        guard let stat = FileBytes.text(folder + "/stat"),
            let startTime = ProcessText.startTime(stat: stat), !isDead(process)
        else { return nil }
        let unit = ProcessText.unit(cgroup: FileBytes.text(folder + "/cgroup") ?? "")
        let identity = ProcessIdentity(
            host: host, pid: UInt32(credentials.process), startTime: startTime, bootID: bootID,
            uid: credentials.user, gid: credentials.group, unit: unit)
        return Peer(identity: identity, process: process)
    }

    /// As long as it lives its number was not given to another, so what /proc said is about it.
    private func isDead(_ process: Descriptor) -> Bool {
        var waiting = pollfd(fd: process.number, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&waiting, 1, 0) > 0
    }
}
