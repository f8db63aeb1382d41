"""Every error a user can meet, as a tree of typed exceptions.

VitrinaError
├── StartError            the command could not start (exit code 2)
│   ├── UsageError
│   ├── SpecInvalid
│   ├── UnknownConnection
│   └── GenerationForbidden
└── RunError              the work began and failed (exit code 1)
    ├── ConnectionFailed
    │   └── TlsFailed
    ├── PrivilegeMissing
    ├── ReadOnly
    ├── DiskFull
    ├── SourceMismatch
    ├── RuleImpossible
    ├── UnsupportedType
    ├── ForeignTable
    ├── BookkeepingNewer
    ├── ConstraintNotOurs
    ├── ForeignKeyImpossible
    ├── LoadRefused
    │   └── KeyNotUnique
    ├── NotUnique
    ├── MappingChanged
    ├── CopyMissing
    ├── SourceBehind
    ├── OwnedElsewhere
    ├── OutlineStale
    ├── DeleteFuseBlown
    ├── LeaseHeld
    ├── LeaseLost
    ├── CheckFailed
    ├── VerifyFailed
    ├── CopyDiffers
    ├── CopyNotVerified
    ├── StatementFailed
    └── StepsFailed

A message states the fact; ``fix`` says what to do about it. Neither ever holds a password.
"""

from __future__ import annotations

from framework.errors.base import RunError, StartError, VitrinaError
from framework.errors.rows import (
    CopyDiffers,
    CopyNotVerified,
    DeleteFuseBlown,
    KeyNotUnique,
    LoadRefused,
    NotUnique,
    RowsRejected,
    VerifyFailed,
)
from framework.errors.running import (
    BookkeepingNewer,
    CheckFailed,
    LeaseHeld,
    LeaseLost,
    OutlineStale,
    RuleImpossible,
    StepsFailed,
)
from framework.errors.servers import ConnectionFailed, DiskFull, PrivilegeMissing, ReadOnly, StatementFailed, TlsFailed
from framework.errors.starting import GenerationForbidden, SpecInvalid, UnknownConnection, UsageError
from framework.errors.tables import (
    ConstraintNotOurs,
    CopyMissing,
    ForeignKeyImpossible,
    ForeignTable,
    MappingChanged,
    OwnedElsewhere,
    SourceBehind,
    SourceMismatch,
    UnsupportedType,
)

__all__ = [
    "BookkeepingNewer",
    "CheckFailed",
    "ConnectionFailed",
    "ConstraintNotOurs",
    "CopyDiffers",
    "CopyMissing",
    "CopyNotVerified",
    "DeleteFuseBlown",
    "DiskFull",
    "ForeignKeyImpossible",
    "ForeignTable",
    "GenerationForbidden",
    "KeyNotUnique",
    "LeaseHeld",
    "LeaseLost",
    "LoadRefused",
    "MappingChanged",
    "NotUnique",
    "OutlineStale",
    "OwnedElsewhere",
    "PrivilegeMissing",
    "ReadOnly",
    "RowsRejected",
    "RuleImpossible",
    "RunError",
    "SourceBehind",
    "SourceMismatch",
    "SpecInvalid",
    "StartError",
    "StatementFailed",
    "StepsFailed",
    "TlsFailed",
    "UnknownConnection",
    "UnsupportedType",
    "UsageError",
    "VerifyFailed",
    "VitrinaError",
]
