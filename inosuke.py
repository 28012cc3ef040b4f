"""The `inosuke` command: mounts the stages' sub-commands, each imported only when it is called."""

from __future__ import annotations

import importlib

import click

from curation.command import run

# name → (where the click command is, one line for `inosuke --help`). Kept here as text: importing every stage for its
# help would cost seconds.
COMMANDS: dict[str, tuple[str, str]] = {
    "import": ("curation.commands.dataset:import_files", "Read files and say what is in them."),
    "dataset": ("curation.commands.dataset:dataset", "Sources + review log → queue and export."),
    "dedup": ("curation.commands.dedup:dedup", "Find near-duplicates in a CSV, JSONL or Parquet file."),
    "review": ("annotations.commands.review:review", "Keep the review store and the log the same; look at the queue."),
    "label-studio": (
        "annotations.commands.label_studio:label_studio",
        "Push the queue to Label Studio, pull verdicts back.",
    ),
    "publish": ("curation.commands.dataset:publish", "Publish the export to the Hugging Face Hub."),
    "publish-model": (
        "curation.commands.dataset:publish_model",
        "Publish a trained adapter or model to the Hugging Face Hub.",
    ),
    "train": ("train.commands.train:train", "Train an adapter on the newest export."),
    "evaluate": ("train.commands.train:evaluate", "Measure a trained adapter beside its base."),
    "merge": ("train.commands.train:merge", "Merge an adapter into its 16-bit base."),
    "gguf": ("train.commands.train:gguf", "Write a run as GGUF files for llama.cpp, measured."),
    "serve": ("serve.commands.serve:serve", "Chat with the trained character in a browser."),
    "feedback": ("serve.commands.serve:feedback", "Fetch what visitors said about his replies."),
    "space": ("serve.commands.serve:space", "Write a folder that a Hugging Face Space builds."),
}


class _Lazy(click.Group):
    """A group that knows its commands by name and loads one when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_line) for name, (_, help_line) in COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ai-inosuke")
def cli() -> None:
    """From handwritten lines to a character that answers.

    \b
    Example:
      inosuke dataset && inosuke train && inosuke serve
    """


def main() -> None:
    """Run the command line."""
    run(cli)


if __name__ == "__main__":
    main()
