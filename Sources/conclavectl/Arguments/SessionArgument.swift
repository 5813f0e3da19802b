import ArgumentParser
import Conclave

/// A session as `conclave why` and `conclave sessions` show it.
func sessionID(_ text: String) throws -> SessionID {
    guard let number = UInt64(text) else {
        throw ValidationError("'\(text)' is no session: 'conclave why' shows them as numbers.")
    }
    return SessionID(number)
}
