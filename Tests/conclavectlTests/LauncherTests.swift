import Testing

@testable import conclavectl

@Suite struct `A place at a barrier` {
    private typealias Given = LauncherPlace.Given

    private static let slurm = [
        "SLURM_JOB_ID": "4711", "SLURM_STEP_ID": "2", "SLURM_STEP_NUM_TASKS": "64",
        "SLURM_NTASKS": "64", "SLURM_PROCID": "5",
    ]
    private static let openMPI = [
        "OMPI_COMM_WORLD_SIZE": "8", "OMPI_COMM_WORLD_RANK": "3", "PMIX_RANK": "3",
        "PMIX_NAMESPACE": "prterun-a-17@1",
    ]
    private static let pmi = ["PMI_SIZE": "4", "PMI_RANK": "1", "PMI_ID": "1"]

    private func place(_ variables: [String: String], _ given: Given = Given()) throws
        -> LauncherPlace
    {
        try LauncherPlace(given) { variables[$0] }
    }

    private func fault(_ variables: [String: String], _ given: Given = Given()) -> String? {
        let error = #expect(throws: LauncherPlace.Fault.self) { try place(variables, given) }
        return error?.message
    }

    @Test func `is what srun says`() throws {
        let place = try place(Self.slurm)
        #expect(place.name == "slurm/4711.2")
        #expect(place.parties == 64)
        #expect(place.rank == 5)
    }

    @Test func `is another one when a job runs again, or on another cluster`() throws {
        let again = Self.slurm.with("SLURM_RESTART_COUNT", "1")
        #expect(try place(again).name == "slurm/4711.2.restart-1")
        let elsewhere = again.with("SLURM_CLUSTER_NAME", "alps")
        #expect(try place(elsewhere).name == "slurm/alps/4711.2.restart-1")
    }

    @Test func `is what mpirun says`() throws {
        let place = try place(Self.openMPI)
        #expect(place.name == "openmpi/prterun-a-17@1")
        #expect(place.parties == 8)
        #expect(place.rank == 3)
    }

    @Test func `is what PMI says, which knows no name of its own everywhere`() throws {
        #expect(fault(Self.pmi) == "PMI_JOBID not set: give the barrier's name")
        let named = try place(Self.pmi, Given(name: "step-7"))
        #expect(named.name == "step-7")
        #expect(named.parties == 4)
        #expect(named.rank == 1)
        #expect(try place(Self.pmi.with("PMI_JOBID", "9.0")).name == "pmi/9.0")
        let byID = Self.pmi.with("PMI_JOBID", "9.0").with("PMI_RANK", nil)
        #expect(try place(byID).rank == 1)
    }

    @Test func `is known to PMIx but for the count`() throws {
        let variables = ["PMIX_RANK": "7", "PMIX_NAMESPACE": "n"]
        #expect(
            fault(variables) == "pmix says in no variable how many tasks there are: give --parties")
        let place = try place(variables, Given(parties: 8))
        #expect(place.name == "pmix/n")
        #expect(place.rank == 7)
    }

    @Test func `is of srun's step also when that speaks PMI`() throws {
        let both = Self.slurm.merging(["PMI_SIZE": "64", "PMI_RANK": "5"]) { $1 }
        #expect(try place(both).name == "slurm/4711.2")
    }

    @Test func `is what is given, whatever the variables say`() throws {
        let wrong = Self.slurm.with("SLURM_PROCID", "x").with("SLURM_NTASKS", "7")
        let place = try place(wrong, Given(name: "b", parties: 3, rank: 2))
        #expect(place.name == "b")
        #expect(place.parties == 3)
        #expect(place.rank == 2)
        #expect(try self.place([:], Given(name: "b", parties: 3, rank: 2)) == place)
    }

    @Test func `is nobody's where no task was started`() throws {
        #expect(
            fault([:])
                == "no launcher has started this task: none of OMPI_COMM_WORLD_RANK, "
                + "SLURM_PROCID, PMI_RANK, PMI_ID, PMIX_RANK is set")
        #expect(fault(["SLURM_PROCID": "0"])?.contains("SLURM_STEP_ID is not set") == true)
        #expect(
            fault(Self.slurm.with("SLURM_STEP_ID", nil))
                == "this is no task that srun has started, though variables of Slurm are set: "
                + "SLURM_STEP_ID is not set")
        #expect(
            fault(Self.slurm.with("SLURM_STEP_ID", "4294967291"))
                == "this is no task that srun has started, though variables of Slurm are set: "
                + "SLURM_STEP_ID is 4294967291")
    }

    @Test func `is refused where variables contradict each other`() throws {
        #expect(
            fault(Self.slurm.with("SLURM_NTASKS", "63"))
                == "SLURM_STEP_NUM_TASKS is 64 and SLURM_NTASKS is 63: give --parties, or say by "
                + "--launcher which of slurm counts")
        let both = Self.slurm.merging(Self.openMPI) { $1 }
        #expect(
            fault(both)
                == "OMPI_COMM_WORLD_SIZE is 8 and SLURM_STEP_NUM_TASKS is 64: give --parties, or "
                + "say by --launcher which of openmpi, slurm, pmix counts")
        #expect(try place(both, Given(launcher: .openmpi)) == place(Self.openMPI))
        #expect(try place(both, Given(launcher: .slurm)) == place(Self.slurm))
        #expect(
            fault(Self.pmi.with("PMI_ID", "2"))?.hasPrefix("PMI_RANK is 1 and PMI_ID is 2") == true)
    }

    @Test(arguments: [
        ("SLURM_PROCID", "64", "rank 64 is not one of 64 parties, 0 to 63"),
        ("SLURM_PROCID", "-1", "SLURM_PROCID is no number: -1"),
        ("SLURM_PROCID", "", "SLURM_PROCID is not set: give --rank"),
        ("SLURM_PROCID", "99999999999999999999", "SLURM_PROCID is no number: 99999999999999999999"),
        ("SLURM_JOB_ID", "a\u{1B}b", "SLURM_JOB_ID is no number: a?b"),
        ("SLURM_JOB_ID", "", "SLURM_JOB_ID, SLURM_STEP_ID not set: give the barrier's name"),
        ("SLURM_RESTART_COUNT", "often", "SLURM_RESTART_COUNT is no number: often"),
    ])
    func `is refused where one says nonsense`(name: String, value: String, message: String) {
        #expect(fault(Self.slurm.with(name, value)) == message)
    }

    @Test func `has bounds`() {
        let many = Self.pmi.with("PMI_SIZE", "100001")
        #expect(fault(many) == "100001 parties: a barrier has 1 to 10000")
        #expect(fault(Self.pmi.with("PMI_SIZE", "0")) == "0 parties: a barrier has 1 to 10000")
        let long = String(repeating: "n", count: 250)
        #expect(
            fault(Self.openMPI.with("PMIX_NAMESPACE", long))
                == "openmpi/\(long) can be no barrier's name: give one")
    }
}

extension [String: String] {
    fileprivate func with(_ name: String, _ value: String?) -> Self {
        var copy = self
        copy[name] = value
        return copy
    }
}
