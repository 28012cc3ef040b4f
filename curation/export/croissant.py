"""``croissant.json`` of an export: its files, columns and origin in MLCommons' Croissant 1.0. Pure.

The format: https://docs.mlcommons.org/croissant/docs/croissant-spec.html. The Hub makes a Croissant file of its own,
which knows the columns' types; this one also knows what they mean, the hash of each file and how the data were made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from curation.contracts.manifest import Manifest
from curation.export.citation import abstract, title
from curation.export.columns import COLUMNS
from curation.export.exported_rows import features, filled, parquet

CROISSANT = "croissant.json"
_LICENCES = {
    "apache-2.0": "https://www.apache.org/licenses/LICENSE-2.0",
    "cc0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "mit": "https://opensource.org/license/mit",
}
_TYPES = {"string": "sc:Text", "int32": "sc:Integer", "float32": "sc:Float", "bool": "sc:Boolean"}


def jsonld(about: Manifest, repo: str, licence: str, bibtex: str) -> str:
    """Return the file for the sides that have rows; paths are relative to it."""
    sides = [(config, side) for config, found in filled(about).items() for side in found]
    content = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": re.sub(r"\W+", "-", title(about)).strip("-"),
        "alternateName": title(about),
        "description": f"{abstract(about)} A person answers for every line of the character.",
        "url": f"https://huggingface.co/datasets/{repo}",
        "license": _licence_address(licence, repo),
        "creator": {"@type": "sc:Organization", "name": repo.split("/")[0]},
        "version": about.version,
        "citeAs": bibtex,
        "inLanguage": sorted({code for side in about.counts.values() for code in side.language if code != "None"}),
        "keywords": ["persona", "role-playing", "dialogue"],
        "distribution": [_file(parquet(config, side), about.files) for config, side in sides],
        "recordSet": [_records(config, side) for config, side in sides],
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _licence_address(licence: str, repo: str) -> str:
    if match := re.fullmatch(r"cc-(by(?:-nc)?(?:-sa|-nd)?)-(\d\.\d)", licence):
        return f"https://creativecommons.org/licenses/{match[1]}/{match[2]}/"
    return _LICENCES.get(licence, f"https://huggingface.co/datasets/{repo}#rights")


def _file(path: str, hashes: Mapping[str, str]) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": path,
        "name": path,
        "contentUrl": path,
        "encodingFormat": "application/x-parquet",
        "sha256": hashes[path],
    }


def _records(config: str, side: str) -> dict[str, Any]:
    name = f"{config}_{side}"
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": f"The {side} side of the configuration `{config}`.",
        "field": [_field(name, parquet(config, side), *column) for column in features(config).items()],
    }


def _field(records: str, path: str, column: str, kind: Any) -> dict[str, Any]:
    """Return a column: a text, a number, a list of texts, or a list of objects with texts."""
    source: dict[str, Any] = {"fileObject": {"@id": path}, "extract": {"column": column}}
    field: dict[str, Any] = {"@type": "cr:Field", "@id": f"{records}/{column}", "name": column}
    field["description"] = COLUMNS[column]
    inner = getattr(kind, "feature", None)
    if inner is None:
        return field | {"dataType": _TYPES[kind.dtype], "source": source}
    if not isinstance(inner, dict):  # a list of lists is a list of texts to the format, whose depth it does not say
        return field | {"dataType": "sc:Text", "repeated": True, "source": source}
    parts = [
        {
            "@type": "cr:Field",
            "@id": f"{records}/{column}/{key}",
            "name": key,
            "dataType": "sc:Text",
            "source": source | {"transform": {"jsonPath": key}},
        }
        for key in inner
    ]
    return field | {"repeated": True, "source": source, "subField": parts}


def _own(names: Collection[str]) -> dict[str, str]:
    return {name: f"cr:{name}" for name in names}


# The standard context of Croissant 1.0: a reader compares it word by word.
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "sc": "https://schema.org/",
    **_own(
        (
            *("citeAs", "column", "equivalentProperty", "extract", "field", "fileObject", "fileProperty", "fileSet"),
            *("format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet"),
            *("references", "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField"),
            "transform",
        )
    ),
}
