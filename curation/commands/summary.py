"""What the commands print for a person: plain text, made of the same reports that `--json` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from curation.build.pipeline import Report


def dataset(report: Report) -> str:
    """Say what a build did, stage by stage, with reasons, and what to type next."""
    total = sum(report.imported.values())
    lines = ["Nothing has changed since the last build.", ""] if report.up_to_date else []
    multi = f" ({report.multi_turn:,} multi-turn)" if report.multi_turn else ""
    lines += _row("imported", total, _listed(report.imported) + multi)
    lines += _row("held out", report.held_out, "prompts for evaluation, never trained on") if report.held_out else []
    lines += _row("quarantined", sum(report.rejected.values()), _listed(report.rejected), "datasets/quarantine/")
    exact, near = report.duplicates.get("exact", 0), report.duplicates.get("near", 0)
    merged = f"exact {exact:,} (merged: what several files hold counts once)"
    lines += _row("duplicates", exact + near, f"{merged}, near {near:,} (kept, flagged)")
    lines += _row("languages", sum(report.languages.values()), _listed(report.languages))
    lines += _row("flags", sum(report.flagged.values()), _listed(report.flagged))
    by = ", ".join(f"{n:,} by {who} on import (trusted source)" for who, n in report.approved_on_import.items())
    lines += _row("approved", report.approved, by)
    lines += _row("to review", report.awaiting_review, "make review" if report.awaiting_review else "")
    if report.left_out:
        lines += _row("left out", sum(report.left_out.values()), _listed(report.left_out))
    sides = " + ".join(f"{n:,} {side}" for side, n in report.exported.items())
    lines += _row("exported", sum(report.exported.values()), sides)
    if report.path:
        lines += ["", f"Dataset {report.version} is in {report.path}", "Next: make train   (or: inosuke train)"]
    else:
        lines += ["", "Nothing is approved yet, so nothing was exported.", "Next: make review"]
    return "\n".join(lines)


def imported(files: Sequence[Mapping[str, Any]]) -> str:
    """Return a table with a line a file: format, encoding, lines, speakers, samples, what was set aside."""
    head = ("file", "format", "encoding", "lines", "speakers", "samples", "quarantined")
    rows = [head]
    for f in files:
        if f["error"]:
            rows.append((f["path"], "-", "-", "-", "-", "-", f["error"]))
            continue
        speakers = ", ".join(f"{name} {n}" for name, n in list(f["speakers"].items())[:4])
        more = f" +{len(f['speakers']) - 4}" if len(f["speakers"]) > 4 else ""
        rows.append(
            (
                f["path"],
                f["format"],
                f["encoding"],
                f"{f['utterances']:,}",
                (speakers + more) or "-",
                _listed(f["samples"]) or "-",
                _listed(f["rejected"]) or "-",
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(head) - 1)]
    return "\n".join(
        "  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[-1]]).rstrip() for row in rows
    )


def published(result: Mapping[str, Any]) -> str:
    """Say what was published, or would be: samples, what stayed behind and from where, files, the commit."""
    tag = f", tag {result['tag']}" if result["tag"] else ""
    lines = [f"{result['repo']}: {result['action']} ({result['version']}{tag})"]
    if samples := result.get("samples"):
        lines += [f"  samples   {_listed(samples)}"]
    if result.get("left_out"):
        lines += [f"  left out  {_listed(result['left_out'])}"]
        lines += [f"            {count:,} from {source}" for source, count in result["left_out_from"].items()]
        lines += ["            (--private publishes them for you alone, --include-private NAME names exceptions)"]
    if result.get("included"):
        lines += [f"  included  {_listed(result['included'])} (by name, and the manifest says so)"]
    lines += [f"  files     {len(result['files'])}: {', '.join(result['files'])}"] if result["files"] else []
    lines += [f"  deleted   {', '.join(result['deleted'])}"] if result["deleted"] else []
    lines += [f"  commit    {result['commit']}", f"  page      {result['url']}"] if result["commit"] else []
    lines += [f"Warning: {warning}" for warning in result["warnings"]]
    return "\n".join(lines)


def _row(title: str, count: int, *details: str) -> list[str]:
    detail = "; ".join(d for d in details if d) if count else ""
    return [f"{title:<12}{count:>8,}  {detail}".rstrip()]


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in counts.items() if n)
