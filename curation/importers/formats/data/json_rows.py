"""JSON and JSONL files of rows. A damaged list is read object by object: one bad row never costs the others."""

from __future__ import annotations

from curation.importers.records.from_rows import to_records
from curation.importers.source import tables
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported

# `Dataset.save_to_disk` writes these beside its Arrow files: they describe the data and hold none of it.
_HF_FILES = {"dataset_info.json", "state.json", "dataset_dict.json"}


def read_json(file: SourceFile, persona: Persona) -> Imported:
    """Read a JSON list of rows (or a single row). Raises InosukeError for a file that is not JSON."""
    if file.path.name in _HF_FILES and file.text.lstrip().startswith("{"):
        return Imported(format="skipped (about a Hugging Face dataset)")
    return to_records(file, persona, tables.json_rows(file), "json")


def read_jsonl(file: SourceFile, persona: Persona) -> Imported:
    """Read one row a line; blank lines are skipped."""
    return to_records(file, persona, tables.jsonl_rows(file), "json")
