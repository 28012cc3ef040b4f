"""``CITATION.cff`` of an export (Citation File Format 1.2.0), which the Hub and reference managers read. Pure."""

from __future__ import annotations

from curation.contracts.manifest import Manifest

CITATION = "CITATION.cff"
# Hub identifier → SPDX identifier, the form that the format asks for. Any other licence is left to the card.
_SPDX = {
    "apache-2.0": "Apache-2.0",
    "cc-by-4.0": "CC-BY-4.0",
    "cc-by-nc-4.0": "CC-BY-NC-4.0",
    "cc-by-nc-sa-4.0": "CC-BY-NC-SA-4.0",
    "cc-by-sa-4.0": "CC-BY-SA-4.0",
    "cc0-1.0": "CC0-1.0",
    "mit": "MIT",
}


def title(about: Manifest) -> str:
    """Return the title of an export."""
    return f"{about.persona.name}: a character's lines"


def abstract(about: Manifest) -> str:
    """Return one sentence with the number of samples by side and the languages."""
    sides = " and ".join(f"{counts.samples:,} {side}" for side, counts in about.counts.items())
    codes = sorted({code for counts in about.counts.values() for code in counts.language if code != "None"})
    return f"Dialogues and lines in the voice of {about.persona.name}: {sides} samples in {', '.join(codes) or 'none'}."


def cff(about: Manifest, repo: str, licence: str, published: bool) -> str:
    """Return the file. The author is the owner of the repository; an address stands in it once it is published."""
    import yaml

    address = f"https://huggingface.co/datasets/{repo}"
    content = {
        "cff-version": "1.2.0",
        "message": "If you use these lines, please cite them as below.",
        "type": "dataset",
        "title": title(about),
        "abstract": abstract(about),
        "version": about.version,
        "authors": [{"name": repo.split("/")[0]}],
        **({"license": _SPDX[licence]} if licence in _SPDX else {}),
        **({"url": address, "repository-artifact": address} if published else {}),
        "keywords": ["persona", "role-playing language models", "dialogue"],
    }
    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100))
