import ArgumentParser
import PacketSockets

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serves the files of a directory over a Unix socket in it, until killed.",
        discussion: "It knows nothing of locks and asks no daemon: it compares tokens.")

    @Argument(help: "The store's directory; it must exist.")
    var store: String

    func run() throws {
        let files = try FileStore(directory: store)
        let listener = try PacketSocket.listening(at: StoreClient.socketPath(in: store))
        say("serving \(store)")
        while true {
            guard let client = try listener.accept() else { continue }
            // One that goes away, or says nothing for a second, is no reason to stop.
            client.setPatience(seconds: 1)
            guard let packet = try? client.receive() else { continue }
            let answer = answer(to: packet, from: files)
            try? client.send(answer.packet)
        }
    }

    private func answer(to packet: [UInt8], from files: FileStore) -> StoreAnswer {
        do {
            let request = try StoreRequest(packet)
            let answer = try files.write(request.text, to: request.file, token: request.token)
            say("\(request.file): token \(request.token), \(answer.packetText)")
            return answer
        } catch {
            say("\(error)")
            return .invalid("\(error)")
        }
    }
}
