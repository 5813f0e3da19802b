import CConclaveLinux
import ConclaveBase
import ConclaveReactor
import Glibc
import Testing

@Suite struct `Processes` {
    @Test func `a child is started in a process group of its own`() throws {
        let child = spawn(["/bin/sh", "-c", "exit $(ps -o pgid= -p $$ | grep -cx \" *$$\")"])
        #expect(child > 0)
        #expect(try exitStatus(of: child) == 1)
    }

    @Test func `a program that is not there is told by its errno`() {
        #expect(spawn(["conclave-no-such-program"]) == -ENOENT)
        #expect(spawn(["/etc/passwd"]) == -EACCES)
    }

    @Test func `a pidfd becomes readable when its process is dead`() throws {
        let reactor = try Reactor()
        let child = spawn(["sleep", "1000"])
        #expect(child > 0)
        let process = Descriptor(owning: conclave_linux_pidfd_open(child))
        let watcher = Reader(process)
        let registration = try reactor.register(process, interest: .readable, handler: watcher)
        try reactor.turn(until: .distantPast)
        #expect(watcher.callCount == 0)
        #expect(conclave_linux_pidfd_send_signal(process.number, SIGKILL) == 0)
        #expect(try reactor.turn { watcher.callCount == 1 })
        reactor.remove(registration)
        _ = try exitStatus(of: child)
    }

    private func spawn(_ arguments: [String]) -> Int32 {
        var pointers = arguments.map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        pointers.append(nil)
        return conclave_linux_spawn(pointers)
    }

    private func exitStatus(of child: Int32) throws -> Int32 {
        var status: Int32 = 0
        #expect(waitpid(child, &status, 0) == child)
        return status >> 8 & 0xFF
    }
}
