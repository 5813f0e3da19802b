// The words of the field that the API shows, so that users import `Conclave` alone.
@_exported public import enum ConclaveBase.DepartureReason
@_exported public import struct ConclaveBase.Epoch
@_exported public import struct ConclaveBase.FencingToken
@_exported public import struct ConclaveBase.NodeID
@_exported public import struct ConclaveBase.SessionID
@_exported public import struct ConclaveBase.Timestamp
@_exported public import struct ConclaveBase.Version
