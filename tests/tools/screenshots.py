"""Takes the screenshots of the chat page for the documents, with real answers of the newest run.

python -m tests.tools.screenshots [--root DIR] [--run NAME]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from serve import create_app
from tests.serve.conftest import PROJECT, serving
from tests.tools.chromium import CHROMIUM, act, answered, menu, send

QUESTIONS = ("Ngươi là ai?", "Thách ngươi đấu với ta một trận!")
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {
    "viewport": {"width": 390, "height": 780},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--root", type=Path, default=PROJECT)
    arguments.add_argument("--run")
    chosen = arguments.parse_args()
    app = create_app({"ROOT": chosen.root, "RUN": chosen.run})
    with serving(app) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        with opened(browser, url, "light", DESKTOP) as page:
            talk(page)
            shoot(page, "chat-desktop")
        with opened(browser, url, "dark", DESKTOP) as page:
            for opening in (2, 3):  # some conversations, so that the list shows what it does
                page.locator("#prompts button").nth(opening).click()
                answered(page)
                page.click("#new")
            talk(page)
            menu(page, QUESTIONS[0], "Đổi tên")
            page.fill("#dialog-line", "Lần đầu gặp mặt")
            page.keyboard.press("Enter")
            page.locator("#conversations .current .icon").click()
            shoot(page, "chat-dark")
        with opened(browser, url, "light", PHONE) as page:
            shoot(page, "chat-phone-welcome")
            talk(page)
            shoot(page, "chat-phone")
        with opened(browser, url, "dark", PHONE) as page:
            talk(page)
            shoot(page, "chat-phone-dark")
        browser.close()


@contextmanager
def opened(browser: Browser, url: str, scheme: str, device: dict[str, object]) -> Iterator[Page]:
    """Yield a page in a new browser context, once it knows who answers."""
    context = browser.new_context(locale="vi-VN", color_scheme=scheme, reduced_motion="reduce", **device)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(url)
    page.wait_for_selector("#status:not(:empty)")
    yield page
    context.close()


def talk(page: Page) -> None:
    """Ask the questions, the last one twice, so that there is another version."""
    for question in QUESTIONS:
        send(page, question)
    act(page, 4, "Trả lời lại")  # the greeting is turn 0
    answered(page)


def shoot(page: Page, name: str) -> None:
    """Take the picture."""
    page.screenshot(path=PROJECT / "docs" / "images" / f"{name}.png", animations="disabled")


if __name__ == "__main__":
    main()
