import Glibc

/// Whether a program can be executed, found out before anything is taken for it.
enum ProgramPath {
    enum Fault: Error, Equatable {
        case notFound
        case notExecutable
    }

    /// As `execvp` will look for it: as it stands if there is a slash in it, else in `path`.
    static func check(_ program: String, path: String) throws(Fault) {
        guard !program.contains("/") else { return try check(file: program) }
        var fault = Fault.notFound
        for directory in path.split(separator: ":", omittingEmptySubsequences: false) {
            do throws(Fault) {
                return try check(file: directory.isEmpty ? program : "\(directory)/\(program)")
            } catch  where error == .notExecutable {
                fault = error
            } catch {
                continue
            }
        }
        throw fault
    }

    /// `$PATH`, or what `execvp` takes if there is none.
    static var searchPath: String {
        guard let path = unsafe getenv("PATH") else { return "/bin:/usr/bin" }
        return unsafe String(cString: path)
    }

    private static func check(file: String) throws(Fault) {
        var about = stat()
        guard unsafe stat(file, &about) == 0 else {
            throw errno == EACCES ? .notExecutable : .notFound
        }
        let isFile = about.st_mode & S_IFMT == S_IFREG
        guard isFile, unsafe access(file, X_OK) == 0 else { throw .notExecutable }
    }
}
