import FuzzTargets
import Glibc

/// `conclave-fuzz TARGET [OPTION OF LIBFUZZER…] [FILE OR FOLDER…]` feeds one target; without a
/// target it lists them. `Tests/fuzz` builds it, with libFuzzer, which brings `main` along.
private enum FuzzProgram {
    nonisolated(unsafe) static var target = FuzzTarget.apply
}

/// Takes the target's name out of the arguments; libFuzzer reads the rest.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> CInt {
    let name = CommandLine.arguments.dropFirst().first
    guard let target = name.flatMap(FuzzTarget.init) else {
        for target in FuzzTarget.allCases { print(target.rawValue) }
        exit(name == nil ? 0 : 64)
    }
    FuzzProgram.target = target
    arguments.pointee[1] = arguments.pointee[0]
    arguments.pointee += 1
    count.pointee -= 1
    return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
    FuzzProgram.target.run(Array(UnsafeBufferPointer(start: bytes, count: byteCount)))
    return 0
}
