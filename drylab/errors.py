"""Every error that drylab raises on purpose, as one tree.

    DrylabError
    ├── ConfigError      target.yaml does not say what drylab needs (names the file and the line)
    ├── InputError       a file of molecules or measurements cannot be used (names the file and the line or row)
    ├── LibraryError     a library folder is missing, empty, incomplete or of another schema
    ├── ModelError       a model file is missing, of another recipe, or does not know the target
    ├── OutputError      the output folder exists, cannot be written, or is not drylab's
    ├── DeviceError      the hardware or the cluster that was asked for is not there
    └── AccountingError  rows were lost or doubled: a fault in drylab, never in the input

A message says what was expected, what came, where, and what to do, in one line. The command line prints it after
``error:`` and exits with code 2; nothing else is caught.
"""


class DrylabError(Exception):
    """Root of the tree: catch this to catch everything drylab raises on purpose."""


class ConfigError(DrylabError):
    """A target file is wrong; the message starts with ``file:line:``."""


class InputError(DrylabError):
    """A file of molecules or measurements is missing, empty, or has rows that cannot be used."""


class LibraryError(DrylabError):
    """A library folder is not one, is empty, or was written by another schema."""


class ModelError(DrylabError):
    """A model file cannot be used, or the target is not one it knows."""


class OutputError(DrylabError):
    """The output folder exists already, cannot be written, or holds files that are not drylab's."""


class DeviceError(DrylabError):
    """The executor or device that was asked for is not available."""


class AccountingError(DrylabError):
    """read != rejected + filtered + scored: please report it, with run.json."""
