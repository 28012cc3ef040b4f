"""Errors that reach a user as a message instead of a traceback, and pydantic's errors in the same words.

A message says three things: what happened, what was expected, and what to do next.
"""

from __future__ import annotations

import errno
import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError


class InosukeError(Exception):
    """Something that the user can fix.

    ``exit_status`` is 1 when the command ran and something is wrong with the data, 2 when the command or a
    configuration file was written wrongly.
    """

    exit_status = 1


class UsageError(InosukeError):
    """The command line or a configuration file is wrong."""

    exit_status = 2


# A full disk, a used-up quota, a limit on a file's size, no permission, a read-only disk.
_NOT_WRITTEN = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EROFS}
# In lower case, how libraries word it. Only torch's own allocators raise a type of their own.
_OUT_OF_MEMORY = (
    "out of memory",  # CUDA, ROCm, the driver ("CUDA error: out of memory"), NCCL, bitsandbytes
    "defaultcpuallocator",  # torch on a CPU: "can't allocate memory" or, on Windows, "not enough memory"
    "alloc_failed",  # CUBLAS_STATUS_ALLOC_FAILED, CUDNN_STATUS_ALLOC_FAILED
    "allocation_failed",  # CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED
    "cublascreate(",  # CUBLAS_STATUS_NOT_INITIALIZED: no memory for the workspace
    "cudaerrormemoryallocation",
    "bad_alloc",
    "bad allocation",
    "cannot allocate memory",  # Linux, where a file is mapped
    "os error 12)",  # the same, as Rust words it
    "os error 1455)",  # Windows: the paging file is too small
)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error, or one that it was raised from, says that memory ran out: the device's or the main one.

    A full disk is not that.
    """
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if isinstance(current, MemoryError) or _says_out_of_memory(current):
            return True
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return False


def _says_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, InosukeError):  # speaks to the user, of whatever it likes
        return False
    if isinstance(error, OSError) and (error.errno == errno.ENOMEM or getattr(error, "winerror", None) == 1455):
        return True
    text = str(error).lower()
    return any(wording in text for wording in _OUT_OF_MEMORY) or any(
        kind.__name__ == "OutOfMemoryError" for kind in type(error).__mro__
    )


def no_space(error: BaseException) -> str:
    """Return why a file could not be written, or an empty text if something else went wrong.

    safetensors and torch wrap the system's error into types of their own, so the text is searched too.
    """
    if isinstance(error, OSError) and error.errno in _NOT_WRITTEN:
        return error.strerror or str(error)
    wrapped = re.search(r"os error (\d+)", str(error))  # as Rust words it
    if wrapped and int(wrapped[1]) in _NOT_WRITTEN:
        return os.strerror(int(wrapped[1]))
    return "No space left on device" if "No space left on device" in str(error) else ""


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """Return a pydantic error in one clause a key: what was seen, what was expected, the keys that exist.

    ``model`` is the type that was validated. Without it, an unknown key could not be answered with the known ones.
    """
    clauses = []
    for e in error.errors():
        where = ".".join(str(part) for part in e["loc"]) or "the content"
        if e["type"] == "extra_forbidden":
            clauses.append(f"unknown key `{where}`. Known here: {', '.join(sorted(_keys(model, e['loc'])))}")
        elif e["type"] == "missing":
            clauses.append(f"the key `{where}` is missing. Add it.")
        elif e["type"] == "json_invalid":
            clauses.append(e["msg"])
        else:
            clauses.append(f"`{where}` is {_short(e['input'])}: {e['msg'].removeprefix('Value error, ')}")
    return "; ".join(clauses)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else text[:100] + "…"


def _keys(model: type[BaseModel], loc: tuple[int | str, ...]) -> set[str]:
    """Return the keys that the innermost table on the way to ``loc`` knows."""
    from pydantic import BaseModel

    for part in loc[:-1]:
        field = model.model_fields.get(part) if isinstance(part, str) else None
        if field is None:
            continue
        candidates = [field.annotation, *getattr(field.annotation, "__args__", ())]
        model = next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), model)
    return {field.alias or name for name, field in model.model_fields.items()} - {"root"}
