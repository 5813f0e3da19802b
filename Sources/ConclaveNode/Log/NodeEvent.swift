import ConclaveBase
import ConclaveWire

/// What the shell of a daemon tells about itself, beside the group's own events.
enum NodeEvent: Equatable {
    case started(version: String, settings: String)
    case listening(path: String, isActivated: Bool)
    /// The host has no group of that name, so only the daemon's own user may connect.
    case withoutGroup(String)
    /// `after`: what it took from the suspicion that ended the last epoch.
    case serving(Bool, reason: String, after: Interval?)
    case stopping(signal: String)
    case stopped
    /// What of a configuration that was read again differs and was taken over.
    case settingsTaken([SettingKey])
    case settingsNeedRestart([SettingKey])
    case settingsOfFounding([SettingKey])
    case settingsRefused([SettingsFault])
    /// The group's member list is another than the configuration's, and counts.
    case membersDiffer([NodeID], configured: [NodeID])
    /// No further client is taken until others have gone.
    case acceptPaused(reason: String)
    case clientConnected(connection: UInt64, pid: UInt32, uid: UInt32, unit: String)
    case clientClosed(connection: UInt64)
    /// It read too little of what it was sent, or sent what is no frame.
    case clientCut(connection: UInt64, reason: String)
    /// A client's process was stopped, as it had asked, before it loses what it holds.
    case processStopped(pid: UInt32, session: SessionID, stop: ProcessStop)
    /// It was not: `reason`. What it holds may be somebody else's soon.
    case processNotStopped(pid: UInt32, session: SessionID, stop: ProcessStop, reason: String)
    /// An administrator has something go wrong; nothing: has all of it end.
    case disturbed(Disturbance?, by: String)
    /// The loop was away for longer than a heartbeat.
    case late(Interval)
}
