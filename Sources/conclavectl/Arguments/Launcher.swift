import ArgumentParser

/// What starts the tasks of a parallel program and tells each of them, in variables of its
/// environment, which one it is.
enum Launcher: String, ExpressibleByArgument, CaseIterable, Sendable {
    case openmpi
    case slurm
    case pmi
    case pmix

    /// Each of them says how many tasks there are. PMIx tells that in no variable.
    var partyVariables: [String] {
        switch self {
        case .openmpi: ["OMPI_COMM_WORLD_SIZE"]
        case .slurm: ["SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"]
        case .pmi: ["PMI_SIZE"]
        case .pmix: []
        }
    }

    /// Each of them says which one this task is, from 0 on.
    var rankVariables: [String] {
        switch self {
        case .openmpi: ["OMPI_COMM_WORLD_RANK"]
        case .slurm: ["SLURM_PROCID"]
        case .pmi: ["PMI_RANK", "PMI_ID"]
        case .pmix: ["PMIX_RANK"]
        }
    }

    /// What tells this run of the program from all others.
    var nameVariables: [String] {
        switch self {
        case .openmpi, .pmix: ["PMIX_NAMESPACE"]
        case .slurm: ["SLURM_JOB_ID", "SLURM_STEP_ID"]
        case .pmi: ["PMI_JOBID"]
        }
    }

    var text: String {
        switch self {
        case .openmpi: "Open MPI"
        case .slurm: "Slurm"
        case .pmi: "PMI"
        case .pmix: "PMIx"
        }
    }
}
