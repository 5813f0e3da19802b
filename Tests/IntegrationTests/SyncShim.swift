import Foundation
import TestSupport
import Testing

/// A library in front of the C library that fails one sync of a segment, or holds all of them back, when
/// a file says so, and notes each write and sync of segments.
struct SyncShim {
    struct Step: Equatable {
        enum Kind: String {
            case write, sync, failedSync
        }

        var kind: Kind
        var file: String
        var bytes: Range<Int> = 0..<0
    }

    private let directory: TemporaryDirectory
    private let library: String

    init(in directory: TemporaryDirectory) throws {
        self.directory = directory
        library = directory.file("shim.so")
        let source = try directory.write(Self.source, to: "shim.c")
        let compiler = try Running(
            "/usr/bin/env", ["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"],
            in: directory)
        let ending = try compiler.end(seconds: 60)
        try #require(ending.status == 0, "\(ending.errors)")
    }

    /// For a daemon that notes what it does in the file `log`.
    func environment(log: String) -> [String: String] {
        [
            "LD_PRELOAD": library, "SHIM_LOG": directory.file(log),
            "SHIM_FAIL": directory.file("fail"), "SHIM_HOLD": directory.file("hold"),
        ]
    }

    /// The next sync of a segment fails, of whichever daemon.
    func failNextSync() throws { _ = try directory.write("", to: "fail") }

    /// From now on no sync of a segment comes to its end, until `goOn`.
    func holdSyncs() throws { _ = try directory.write("", to: "hold") }

    func goOn() throws { try FileManager.default.removeItem(atPath: directory.file("hold")) }

    func steps(in log: String) -> [Step] {
        directory.read(log).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 4, let kind = Step.Kind(rawValue: words[0]),
                let offset = Int(words[2]), let count = Int(words[3])
            else { return nil }
            return Step(kind: kind, file: words[1], bytes: offset..<offset + count)
        }
    }

    private static let source = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <errno.h>
        #include <fcntl.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <unistd.h>

        static int named(int descriptor, char *path, size_t size) {
            char link[64];
            snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
            ssize_t length = readlink(link, path, size - 1);
            if (length < 0) return 0;
            path[length] = 0;
            return strstr(path, "/segment-") != NULL;
        }

        static void note(const char *kind, const char *path, long offset, size_t count) {
            char line[512];
            int length = snprintf(line, sizeof line, "%s %s %ld %zu\\n", kind,
                                  strrchr(path, '/') + 1, offset, count);
            int log = open(getenv("SHIM_LOG"), O_WRONLY | O_CREAT | O_APPEND, 0600);
            if (log < 0 || write(log, line, length) != length) abort();
            close(log);
        }

        ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
            static ssize_t (*next)(int, const void *, size_t, off64_t);
            if (!next) next = dlsym(RTLD_NEXT, "pwrite64");
            char path[512];
            if (named(descriptor, path, sizeof path)) note("write", path, offset, count);
            return next(descriptor, bytes, count, offset);
        }

        ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
            return pwrite64(descriptor, bytes, count, offset);
        }

        int fdatasync(int descriptor) {
            static int (*next)(int);
            if (!next) next = dlsym(RTLD_NEXT, "fdatasync");
            char path[512];
            if (!named(descriptor, path, sizeof path)) return next(descriptor);
            if (unlink(getenv("SHIM_FAIL")) == 0) {
                note("failedSync", path, 0, 0);
                errno = EIO;
                return -1;
            }
            note("sync", path, 0, 0);
            while (access(getenv("SHIM_HOLD"), F_OK) == 0) usleep(1000);
            return next(descriptor);
        }
        """
}
