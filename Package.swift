// swift-tools-version: 6.2
import PackageDescription

/// Settings of every Swift target. A target that needs less says so by name, here.
let common: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableExperimentalFeature("Lifetimes"),
]
let strict = common + [.strictMemorySafety()]

/// For the simulator alone, which runs each world on one thread. That no accesses to its objects overlap
/// is checked where the tests run worlds, in debug builds; in a release it would cost a tenth of the time.
let checkedInDebugBuilds: [SwiftSetting] = [
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))
]

let arguments = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")

/// A target without I/O, or a shell around one: who may import whom is the picture in README.md.
func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// The macros of Testing expand to code that strict memory safety refuses.
func tests(
    _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, exclude: exclude, swiftSettings: common)
}

/// A program for users to read, with its own folder of `examples`.
func example(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: ["Conclave"] + dependencies, path: "examples/\(name)",
        swiftSettings: common)
}

/// The program that runs the fuzz targets under libFuzzer, which brings `main` along: `Tests/fuzz`
/// asks for it.
let fuzzer: [Target] =
    Context.environment["CONCLAVE_FUZZER"] == nil
    ? []
    : [
        .executableTarget(
            name: "conclave-fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzzer",
            swiftSettings: common)
    ]

let package = Package(
    name: "conclave",
    products: [
        .library(name: "Conclave", targets: ["Conclave"]),
        .library(name: "ConclaveRuntime", targets: ["ConclaveRuntime"]),
        .executable(name: "conclaved", targets: ["conclaved"]),
        .executable(name: "conclave", targets: ["conclavectl"]),
        .executable(name: "conclave-sim", targets: ["conclave-sim"]),
        .executable(name: "conclave-bench", targets: ["conclave-bench"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        library("ConclaveBase", []),
        .target(name: "CConclaveChecksum"),
        library("ConclaveWire", ["ConclaveBase", "CConclaveChecksum"]),
        library("ConclaveGroup", ["ConclaveBase", "ConclaveWire"]),
        library(
            "ConclaveReplication", ["ConclaveBase", "ConclaveWire", "ConclaveGroup", deque]),
        library("ConclaveCoordination", ["ConclaveBase", "ConclaveWire", deque]),
        library(
            "ConclaveService",
            [
                "ConclaveBase", "ConclaveWire", "ConclaveGroup", "ConclaveReplication",
                "ConclaveCoordination", heap,
            ]),
        library("ConclaveClientCore", ["ConclaveBase", "ConclaveWire"]),
        .target(
            name: "ConclaveSimulation",
            dependencies: [
                "ConclaveBase", "ConclaveWire", "ConclaveGroup", "ConclaveReplication",
                "ConclaveCoordination", "ConclaveService", "ConclaveClientCore",
            ], swiftSettings: strict + checkedInDebugBuilds),

        .target(name: "CConclaveLinux"),
        .target(name: "CConclaveSystemd", linkerSettings: [.linkedLibrary("systemd")]),
        .target(name: "CConclaveYAML", linkerSettings: [.linkedLibrary("yaml")]),
        library("ConclaveReactor", ["ConclaveBase", "CConclaveLinux"]),
        library(
            "ConclaveFabric", ["ConclaveBase", "ConclaveWire", "ConclaveReactor", "CConclaveLinux"]),
        library("ConclaveJournal", ["ConclaveBase", "ConclaveReactor", "CConclaveLinux"]),
        library(
            "ConclaveRuntime",
            [
                "ConclaveBase", "ConclaveReplication", "ConclaveReactor", "ConclaveFabric",
                "ConclaveJournal",
            ]),
        library(
            "ConclaveNode",
            [
                "ConclaveBase", "ConclaveWire", "ConclaveGroup", "ConclaveReplication",
                "ConclaveCoordination", "ConclaveService", "ConclaveRuntime", "ConclaveReactor",
                "ConclaveFabric", "ConclaveJournal", "CConclaveLinux", "CConclaveSystemd",
                "CConclaveYAML", .product(name: "Logging", package: "swift-log"),
            ]),
        library(
            "Conclave", ["ConclaveBase", "ConclaveWire", "ConclaveClientCore", "CConclaveLinux"]),

        program(
            "conclaved",
            [
                "ConclaveBase", "ConclaveNode", arguments,
                .product(name: "Logging", package: "swift-log"),
            ]),
        program("conclavectl", ["Conclave", "CConclaveLinux", arguments]),
        program(
            "conclave-sim",
            [
                "ConclaveBase", "ConclaveReactor", "ConclaveSimulation", "CConclaveLinux",
                arguments,
            ]),
        program(
            "conclave-bench",
            [
                "Conclave", "CConclaveLinux", arguments,
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ]),

        example("first-steps", []),
        example("fenced-writer", ["PacketSockets", arguments]),
        example("chain-replication", ["PacketSockets", arguments]),
        example("work-queue", [arguments]),
        example("batch-job", [arguments]),
        example("scheduler", [arguments]),
        .target(
            name: "PacketSockets", path: "examples/packet-sockets", swiftSettings: common),

        tests("ConclaveBaseTests", ["ConclaveBase"]),
        tests("ConclaveWireTests", ["ConclaveBase", "ConclaveWire"]),
        tests(
            "ConclaveGroupTests", ["ConclaveBase", "ConclaveWire", "ConclaveGroup"],
            exclude: ["Stories"]),
        tests(
            "ConclaveReplicationTests",
            ["ConclaveBase", "ConclaveWire", "ConclaveGroup", "ConclaveReplication"]),
        tests(
            "ConclaveCoordinationTests",
            ["ConclaveBase", "ConclaveWire", "ConclaveCoordination", "TestSupport"]),
        tests(
            "ConclaveServiceTests",
            [
                "ConclaveBase", "ConclaveWire", "ConclaveCoordination", "ConclaveService",
                "ConclaveReplication", "ConclaveClientCore",
            ]),
        tests(
            "ConclaveClientCoreTests", ["ConclaveBase", "ConclaveWire", "ConclaveClientCore"]),
        tests(
            "ConclaveSimulationTests",
            ["ConclaveBase", "ConclaveWire", "ConclaveCoordination", "ConclaveSimulation"]),
        tests("ConclaveReactorTests", ["ConclaveBase", "ConclaveReactor", "CConclaveLinux"]),
        tests(
            "ConclaveFabricTests",
            ["ConclaveBase", "ConclaveWire", "ConclaveReactor", "ConclaveFabric"]),
        tests("ConclaveJournalTests", ["ConclaveBase", "ConclaveReactor", "ConclaveJournal"]),
        tests(
            "ConclaveNodeTests",
            [
                "ConclaveBase", "ConclaveReactor", "ConclaveReplication", "ConclaveNode",
                "TestSupport", .product(name: "Logging", package: "swift-log"),
            ]),
        tests("ConclaveTests", ["Conclave", "ConclaveBase", "ConclaveWire", "TestSupport"]),
        tests(
            "conclavectlTests",
            [
                "conclavectl", "Conclave", "ConclaveBase", "ConclaveClientCore", "ConclaveWire",
                "TestSupport",
            ]),
        tests("conclave-benchTests", ["conclave-bench", arguments]),
        tests("WorkQueueTests", ["work-queue"]),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "ConclaveBase", "ConclaveWire", "ConclaveGroup", "ConclaveReplication",
                "ConclaveCoordination", "ConclaveService", "ConclaveClientCore", "ConclaveFabric",
                "ConclaveNode", "Conclave", "TestSupport",
            ], path: "Tests/FuzzTargets", swiftSettings: common),
        tests("FuzzTests", ["FuzzTargets"]),
        .target(
            name: "TestSupport",
            dependencies: [
                "ConclaveBase", "ConclaveCoordination", "ConclaveWire", "CConclaveLinux",
            ],
            path: "Tests/TestSupport", swiftSettings: common),
        .executableTarget(
            name: "conclave-workload",
            dependencies: [
                "Conclave", "ConclaveBase", "ConclaveWire", "ConclaveSimulation", "CConclaveLinux",
                arguments,
            ],
            path: "Tests/Workload", swiftSettings: common),
        tests("SimulationTests", ["TestSupport"]),
        tests(
            "IntegrationTests",
            [
                "Conclave", "ConclaveBase", "ConclaveReactor", "ConclaveSimulation", "ConclaveWire",
                "CConclaveLinux", "PacketSockets", "TestSupport",
            ]),
        tests("StyleTests", []),
    ] + fuzzer
)
