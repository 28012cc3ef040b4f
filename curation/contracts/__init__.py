"""What the stages hand to each other through files: each file's type, and the functions that read and write it.

| file | type in | written by | read by |
| --- | --- | --- | --- |
| ``manifest.json`` | ``manifest`` | `inosuke dataset` | training, publishing, statistics |
| ``jsonl/chat.*.jsonl``, ``heldout.jsonl`` | ``rows`` | `inosuke dataset` | training, statistics |
| ``metrics.json``, ``same_ids.json`` | ``run`` | `inosuke train` | evaluation, merging, GGUF, serving, publishing |
| ``gguf/gguf.json`` | ``gguf`` | `inosuke gguf` | serving, publishing |
| ``published.json`` | ``published`` | `inosuke publish-model` | `inosuke card export` |
| ``evaluation.json`` | ``evaluation`` | `inosuke evaluate` | votes, the report |

A file that is missing or damaged gives one error message, whichever command reads it. Keys that a type does not know
(another version's) are kept. The rows of an export have their types here and are written by
:mod:`curation.export.exported_rows`, which also writes them as Parquet. :mod:`curation.newest` knows which export or
run is the newest. Knows nothing of tensors, Parquet or the Hub.
"""
