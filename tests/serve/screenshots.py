"""Takes the pictures of the chat page that the documents show, with real answers of the newest run.

python -m tests.serve.screenshots [--root DIR] [--run NAME]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from playwright.sync_api import sync_playwright

from serve import create_app
from tests.serve.chromium import CHROMIUM
from tests.serve.conftest import PROJECT, serving

QUESTIONS = ("Ngươi là ai?", "Thách ngươi đấu với ta một trận!")
VIEWS = {
    "chat-desktop": {"viewport": {"width": 1280, "height": 800}},
    "chat-phone": {
        "viewport": {"width": 390, "height": 780},
        "device_scale_factor": 2,
        "has_touch": True,
        "is_mobile": True,
    },
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--root", type=Path, default=PROJECT)
    arguments.add_argument("--run")
    chosen = arguments.parse_args()
    app = create_app({"ROOT": chosen.root, "RUN": chosen.run})
    with serving(app) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        for name, options in VIEWS.items():
            page = browser.new_context(locale="vi-VN", **options).new_page()
            page.set_default_timeout(300_000)
            page.goto(url)
            for question in QUESTIONS:
                page.fill("#input", question)
                page.keyboard.press("Enter")
                page.wait_for_selector(".turn.his:last-child:not(.waiting):not(.growing)")
            page.screenshot(path=PROJECT / "docs" / "images" / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
